/* SPDX-License-Identifier: ISC */
/* Compiler attributes under their meaning; nothing else uses __attribute__. */
#pragma once

#define PRINTF(at, first) __attribute__((format(printf, at, first)))
#define MUST_USE __attribute__((warn_unused_result))
#define NORETURN _Noreturn
