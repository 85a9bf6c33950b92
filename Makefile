# The front door. Meson does the building; these targets know what must be
# installed, which folder belongs to what, and what to run.
#
#   make            build/gatepost, a release build
#   make run        a server on 127.0.0.1:2525 and a tour; ONCE=1 ends after it
#   make test       everything that proves it, in build-test/
#   make install    PREFIX, DESTDIR
#   make crash      the spool's crash test at length, ROUNDS=3
#   make accuracy   what `gatepost explain` gets right: CORPUS=DIR, DISTORT=1
#   make fuzz       SECONDS_EACH=300 or RUNS=2000000, TARGETS="explain mail-mime"
#   make bench coverage format lint clean

PREFIX ?= /usr/local
SYSCONFDIR ?= /etc
DESTDIR ?=
SECONDS_EACH ?= 300
RUNS ?=
TARGETS ?=
JOBS ?= 2
ROUNDS ?= 3
CORPUS ?= ../shared/bounces
ONCE ?=

export PREFIX SYSCONFDIR DESTDIR ONCE SECONDS_EACH RUNS JOBS

all: build/gatepost

# Always asked: Ninja knows best what is out of date.
build/gatepost: FORCE
	@tools/install-deps build
	@[ -f build/build.ninja ] || meson setup build -Dtests=false \
		-Dbuildtype=release -Ddebug=true -Db_lto=true --prefix=$(PREFIX) >build-setup.log 2>&1 \
		|| { cat build-setup.log; rm -rf build build-setup.log; exit 1; }
	@rm -f build-setup.log
	@ninja -C build --quiet src/cli/gatepost src/cli/gatepost-server
	@for program in gatepost gatepost-server; do \
		cmp -s build/src/cli/$$program build/$$program || \
			install -m 755 build/src/cli/$$program build/$$program; done

run: build/gatepost
	@tools/install-deps run
	@tools/run

test:
	@tools/install-deps test
	@tools/run-tests

install: build/gatepost
	@install/install

bench: build/gatepost
	@tools/install-deps bench
	@[ "$$(id -u)" != 0 ] || bench/peers
	@bench/run
	@bench/explain $(CORPUS)
	@bench/hostile

accuracy: build/gatepost
	@tools/install-deps accuracy
	@tools/accuracy $(CORPUS)

fuzz:
	@tools/install-deps test
	@tools/fuzz $(TARGETS)

crash:
	@tools/install-deps test
	@[ -f build-test/build.ninja ] || meson setup build-test \
		-Db_sanitize=address,undefined -Dwerror=true >/dev/null
	@ninja -C build-test --quiet tests/crash/spool-crash
	@ASAN_OPTIONS=quarantine_size_mb=1 build-test/tests/crash/spool-crash $(ROUNDS)

coverage:
	@tools/install-deps test coverage
	@tools/coverage

format:
	@clang-format -i $$(git ls-files '*.[ch]')

lint:
	@tools/install-deps test lint
	@tools/lint

clean:
	rm -rf build build-test build-fuzz build-coverage run

FORCE:
.PHONY: all run test install bench accuracy fuzz crash coverage format lint clean FORCE
