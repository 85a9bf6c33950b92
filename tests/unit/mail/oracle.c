/* SPDX-License-Identifier: ISC */
/* The walker against GMime: both write down what they see of each message of a
 * folder (the seeds of the fuzzer; "own-" ones are broken in ways where we look
 * further), and must have written the same. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <gmime/gmime.h>

#include "mail/mime.h"

static const char *folder;

static void
add_line(struct buf *to, unsigned depth, const char *type, const char *content,
         size_t n)
{
    char *lower = g_ascii_strdown(type, -1);
    buf_addf(to, "%u %s", depth, lower);
    g_free(lower);
    if (content != NULL) {
        buf_addf(to, " %zu octets: ", n);
        buf_add(to, str_from_n(content, n));
    }
    buf_add(to, STR("\n"));
}

/* ---- GMime's ------------------------------------------------------------- */

static void
their_leaf(struct buf *to, GMimePart *part, unsigned depth, const char *type)
{
    GMimeDataWrapper *content = g_mime_part_get_content(part);
    GMimeStream *memory = g_mime_stream_mem_new();
    if (content != NULL)
        (void)g_mime_data_wrapper_write_to_stream(content, memory);
    GByteArray *octets =
        g_mime_stream_mem_get_byte_array((GMimeStreamMem *)(void *)memory);
    add_line(to, depth, type,
             octets->len == 0 ? "" : (const char *)octets->data, octets->len);
    g_object_unref(memory);
}

static void
their_part(struct buf *to, GMimeObject *part, unsigned depth)
{
    char *type =
        g_mime_content_type_get_mime_type(g_mime_object_get_content_type(part));
    if (GMIME_IS_MULTIPART(part)) {
        GMimeMultipart *m = (GMimeMultipart *)(void *)part;
        add_line(to, depth, type, NULL, 0);
        for (int i = 0; i < g_mime_multipart_get_count(m); i++)
            their_part(to, g_mime_multipart_get_part(m, i), depth + 1);
    } else if (GMIME_IS_MESSAGE_PART(part)) {
        GMimeMessagePart *m = (GMimeMessagePart *)(void *)part;
        add_line(to, depth, type, NULL, 0);
        their_part(
            to,
            g_mime_message_get_mime_part(g_mime_message_part_get_message(m)),
            depth + 1);
    } else {
        their_leaf(to, (GMimePart *)(void *)part, depth, type);
    }
    g_free(type);
}

static void
write_theirs(struct buf *to, struct str message)
{
    GMimeStream *stream =
        g_mime_stream_mem_new_with_buffer(message.p, message.n);
    GMimeParser *parser = g_mime_parser_new_with_stream(stream);
    GMimeMessage *m = g_mime_parser_construct_message(parser, NULL);
    assert_non_null(m);
    their_part(to, g_mime_message_get_mime_part(m), 0);
    g_object_unref(m);
    g_object_unref(parser);
    g_object_unref(stream);
}

/* ---- ours ---------------------------------------------------------------- */

static void
write_ours(struct buf *to, struct str message)
{
    struct mime_walk w;
    struct mime_part p;
    mime_begin(&w, message);
    while (mime_next(&w, &p)) {
        struct buf type = {0}, content = {0};
        buf_addf(&type, "%.*s/%.*s", STR_ARG(p.type), STR_ARG(p.subtype));
        if (p.leaf)
            mime_decode(&content, p.encoding, p.body, SIZE_MAX);
        add_line(to, p.depth, buf_cstr(&type),
                 p.leaf ? buf_cstr(&content) : NULL, content.n);
        buf_fini(&type);
        buf_fini(&content);
    }
    assert_false(w.cut);
}

static void
compare(const char *name)
{
    char *path = g_build_filename(folder, name, NULL), *octets;
    gsize n;
    assert_true(g_file_get_contents(path, &octets, &n, NULL));
    struct buf ours = {0}, theirs = {0};
    write_ours(&ours, str_from_n(octets, n));
    write_theirs(&theirs, str_from_n(octets, n));
    if (!str_eq(buf_str(&ours), buf_str(&theirs)))
        fail_msg("%s\n--- ours\n%s\n--- GMime\n%s", name, buf_cstr(&ours),
                 buf_cstr(&theirs));
    buf_fini(&ours);
    buf_fini(&theirs);
    g_free(path);
    g_free(octets);
}

static void
seeds(void **state)
{
    GDir *dir = g_dir_open(folder, 0, NULL);
    int compared = 0;
    (void)state;
    assert_non_null(dir);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        if (g_str_has_prefix(name, "own-"))
            continue;
        compare(name);
        compared++;
    }
    g_dir_close(dir);
    assert_in_range(compared, 12, 1000);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(seeds)};
    if (argc != 2)
        return 2;
    folder = argv[1];
    g_mime_init();
    int failed = cmocka_run_group_tests_name("mail/oracle", tests, NULL, NULL);
    g_mime_shutdown();
    return failed;
}
