# make            builds the module for Debian's nginx or for NGINX_SRC=dir
# make demo       runs simulated vendors and an edge, and prints their answers
# make serve      leaves them running until ^C
# make lint       checks the layers of ngx_module/
# make test       runs all tests on Debian's nginx or on NGINX=binary
#
# Missing packages are installed by apt-get if make is run by root.

NGINX_SRC ?=
NGINX     ?= /usr/sbin/nginx

module     = build/ngx_http_error_map_filter_module.so
src        = $(or $(NGINX_SRC),/usr/share/nginx/src)
CC         = cc

build_deps = gcc make gperf libbrotli-dev libc6-dev libpcre2-dev libssl-dev \
             libzstd-dev zlib1g-dev
test_deps  = nginx curl nghttp2-client perl procps libtest-base-perl \
             liblist-moreutils-perl libtext-diff-perl liburi-perl libwww-perl \
             libhttp-message-perl libtest-longstring-perl libipc-run-perl \
             libio-pty-perl libio-socket-ssl-perl dpkg-dev jq prometheus \
             chromium chromium-driver nodejs $(draft_deps)

# what several tests compile in the same way is compiled once

cache = PATH=/usr/lib/ccache:$$PATH CCACHE_DIR=$(CURDIR)/build/ccache \
        CCACHE_NOHASHDIR=1

# the parsers of tools/draft

draft_deps = libhtml-tree-perl libtext-csv-perl libyaml-pp-perl

export CC NGINX

# nginx reads NGINX as a list of inherited sockets

run = env -u NGINX TEST_NGINX_BINARY=$(NGINX)

# the peers that the benchmarks compare with, and tools that measure

bench_deps = valgrind wrk gnuplot-nox binutils haproxy lua-cjson \
             libnginx-mod-http-lua libnginx-mod-http-js g++ libsimdjson-dev \
             libyajl-dev libjansson-dev


.PHONY: all deps test-deps bench-deps demo serve lint test test-dynamic \
        test-static test-asan test-more deb bench bench-quick bench-check fuzz \
        soak stress clean

# a running test may load the module meanwhile

all: deps
	tools/build dynamic $(src) build/$(if $(NGINX_SRC),other,debian)
	install build/$(if $(NGINX_SRC),other,debian)/objs/$(notdir $(module)) \
	    $(module).new
	mv $(module).new $(module)

deps:
	@tools/deps $(build_deps) $(if $(NGINX_SRC),,nginx-dev)

test-deps:
	@tools/deps $(build_deps) $(test_deps)
	@tools/debian binary sid libtest-nginx-perl $(CURDIR)/build/test-nginx

# ^C and TERM end "serve" without an error; make itself ends by the signal then

demo:
	@tools/logged build/make.log $(MAKE) all
	@tools/deps nginx curl
	@tools/demo

serve:
	@tools/logged build/make.log $(MAKE) all
	@tools/deps nginx curl
	@tools/demo serve

# fails on an upward include, an upward symbol or a call cycle in ngx_module/

lint: all
	tools/lint . build/$(if $(NGINX_SRC),other,debian)/objs/addon

test: all test-deps
	tools/prove t

# those of nginx, without those of the core, the tools and the documentation
nginx_tests = $(wildcard t/[1-8]*.t)

# runs these tests on the nginx of newer suites, with the module loaded

test-dynamic: deps test-deps
	for suite in $(or $(SUITE),trixie forky); do \
	    tools/suite $$suite || exit; \
	    NGINX=$(CURDIR)/build/debian-$$suite/nginx \
	    ERROR_MAP_MODULE=$(CURDIR)/build/debian-$$suite/module.so \
	    tools/prove $(nginx_tests) || exit; \
	done

# runs them on Debian 13's nginx or NGINX_SRC, with the module linked in

test-static: deps test-deps
	$(if $(NGINX_SRC),,tools/debian source trixie nginx \
	    $(CURDIR)/build/nginx-trixie)
	tools/build static $(or $(NGINX_SRC),build/nginx-trixie) build/static \
	    $(full)
	NGINX=$(CURDIR)/build/static/objs/nginx tools/prove $(nginx_tests)

# runs them, and the core's, on bookworm's nginx with the module linked in and
# sanitizers

test-asan: deps test-deps
	@tools/deps ccache libclang-rt-14-dev clang llvm
	tools/debian source bookworm nginx $(CURDIR)/build/nginx-bookworm
	$(cache) CC=clang tools/build static build/nginx-bookworm build/asan $(full) \
	    --with-ld-opt="$(asan)" --with-cc-opt="$(asan) -DNGX_DEBUG_PALLOC=1 \
	    -fsanitize-ignorelist=$(CURDIR)/tools/sanitizer-ignore"
	CC="clang $(asan)" NGINX=$(CURDIR)/build/asan/objs/nginx \
	    tools/prove $(filter-out %-lint.t %-draft.t,$(wildcard t/00-*.t)) \
	    $(nginx_tests)

# runs the longer tests: every way to build with nginx's own -Werror, other
# processors, the fuzzers' corpora, the package, a container's steps, a fleet,
# short soaks

test-more: all test-deps
	@tools/deps ccache clang libclang-rt-14-dev llvm
	tools/debian source bookworm nginx $(CURDIR)/build/nginx-bookworm
	$(cache) JOBS=2 tools/prove xt

# fuzzes the scanners, the reader, the configuration and the filters, each for
# SECONDS

fuzz: deps
	for target in json select events source conf filter; do \
	    fuzz/run $$target $(or $(SECONDS),300) || exit; \
	done

# sends random requests to an nginx with sanitizers and neighbours for SECONDS

stress: deps test-deps
	EM_STRESS_SECONDS=$(or $(SECONDS),900) tools/prove xt/stress.t

# builds Debian packages in build/deb

deb:
	@tools/deb

# sends a million requests to an edge that is reloaded and whose workers are
# killed, a hundred thousand for event streams to one whose vendors fail, and
# answers of all vendors of conf/vendors at random for SECONDS

soak: all test-deps
	@tools/deps libnginx-mod-http-lua
	$(run) tools/soak $(REQUESTS)
	$(run) tools/soak-streams $(STREAMS)
	$(run) tools/soak-vendors $(SECONDS)

# measures the scanners, look-ups, tables, requests and how their cost grows,
# compared with the peers; takes about 10 minutes

bench: all bench-deps
	$(run) bench/scan
	$(run) bench/lookup
	$(run) bench/gperf
	$(run) bench/instructions
	$(run) bench/instructions codings
	$(run) bench/select
	$(run) bench/peers
	$(run) bench/growth

bench-quick: all bench-deps
	$(run) bench/scan quick
	$(run) bench/peers quick

bench-deps: test-deps
	@tools/deps $(bench_deps)
	@tools/debian source bookworm nginx $(CURDIR)/build/nginx-bookworm

# fails if a request takes over 3 % more instructions than recorded

bench-check: all test-deps
	@tools/deps valgrind
	$(run) bench/instructions check

clean:
	rm -rf build t/servroot*

full = --with-debug --with-threads --with-pcre-jit --with-http_ssl_module \
       --with-http_v2_module --with-http_realip_module \
       --with-http_addition_module --with-http_sub_module \
       --with-http_gunzip_module --with-http_slice_module \
       --with-http_auth_request_module --with-http_stub_status_module

asan = -fsanitize=address,undefined -fno-omit-frame-pointer -g -O1
