# sluice: make all | deps | demo | test | bench | lint | sample | install | uninstall | clean
#   SANITIZE=address,undefined   build and test under sanitizers     WERROR=1   warnings are errors
#   V=1                          show commands
# Objects live in build/<flags>/, one directory per set of flags; programs are linked into bin/.
-include config.mk
CFLAGS   ?= -O2 -g
PREFIX   ?= /usr/local
MANDIR   ?= $(PREFIX)/share/man
JOBS     ?= $(shell nproc)
comma    := ,
WARN     := -Wall -Wextra -Wpedantic -Wshadow -Wvla -Wwrite-strings -Wpointer-arith \
            -Wstrict-prototypes -Wmissing-prototypes $(if $(WERROR),-Werror)
SANFLAGS := $(if $(SANITIZE),-fsanitize=$(SANITIZE) -fno-sanitize-recover=all -fno-omit-frame-pointer)
CCFLAGS   = -std=c11 -ffp-contract=off -D_GNU_SOURCE -I. $(WARN) $(CPPFLAGS) $(CFLAGS) $(SANFLAGS)
LDLIBS   += -Wl,--as-needed -ljansson -lmsgpackc -lpcre2-8 -lutf8proc -lxxhash -lz -lzstd -lsnappy -llz4 -ldl -lpthread -lm

O        := build/cpu$(if $(SANITIZE),-$(subst $(comma),-,$(SANITIZE)))$(if $(WERROR),-werror)
BIN      := $(if $(SANITIZE)$(WERROR),$O/bin,bin)
TOOLS    := $(notdir $(patsubst %/,%,$(wildcard tools/*/)))
COMMON   := $(wildcard common/*.c common/*/*.c)
KERNELS  := $(wildcard kernels/*.c kernels/cpu/*.c kernels/openblas/*.c)
LIBS      = $O/libcommon.a $O/libkernels.a
obj       = $(patsubst %,$O/%.o,$1)
UNIT     := $(patsubst tests/%.c,$O/tests/%,$(wildcard tests/unit/*.c tests/kernels/*.c tests/fuzz/*.c))
ORACLE   := $(patsubst tests/%.c,$O/tests/%,$(wildcard tests/oracle/*.c))
BENCH    := $(patsubst tests/%.c,$O/tests/%,$(wildcard tests/bench/*.c))
SCRIPTS  := $(wildcard tests/pipe/*.sh tests/cli/*.sh tests/lint/*.sh)

MAKEFLAGS := $(MAKEFLAGS) -r $(if $(filter -j%,$(MAKEFLAGS)),,-j$(JOBS))
Q = $(if $V,,@echo '  $@';)
.SUFFIXES:
.DELETE_ON_ERROR:
.SECONDARY:
.PHONY: all unit deps demo test bench lint sample install uninstall clean FORCE
all: $(TOOLS:%=$(BIN)/%)

# ---- what Debian has to bring ------------------------------------------------------------------------

# To build and run; for the pipelines and the demo; for the tests (which skip what is absent).
DEBS := gcc libc6-dev libjansson-dev libmsgpack-dev libpcre2-dev libutf8proc-dev libxxhash-dev zlib1g-dev \
        libzstd-dev libsnappy-dev liblz4-dev libopenblas0-pthread  jq gnuplot-nox  perl time mandoc shellcheck libdata-messagepack-perl

# Goals that people run on a fresh machine first install what is missing; the others ask for nothing.
ifneq ($(filter deps demo test bench lint sample,$(MAKECMDGOALS)),)
MISSING := $(shell command -v dpkg-query >/dev/null && for p in $(DEBS); do \
	dpkg-query -W -f '$${Status}' $$p 2>/dev/null | grep -q ' installed' || echo $$p; done)
$O/flags: | deps
endif
SUDO := $(if $(filter 0,$(shell id -u)),,sudo)
deps:
ifneq ($(MISSING),)
	$(SUDO) apt-get update -q
	$(SUDO) env DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $(MISSING)
endif

# ---- building ----------------------------------------------------------------------------------------

# One source, compiled once for each instruction set that select.c can choose at run time.
ISAS         := $(if $(filter x86_64%,$(shell $(CC) -dumpmachine 2>/dev/null || uname -m)),avx2 avx512 avx512bf16)
ISA_avx2     := -mavx2 -mfma -mf16c
ISA_avx512   := -mavx512f -mavx512bw -mavx512dq -mavx512vl -mavx2 -mfma -mf16c -mprefer-vector-width=512
ISA_avx512bf16 := $(ISA_avx512) -mavx512bf16
ISAOBJ       := $(foreach i,$(ISAS),$(patsubst %,$O/%.$i.o,$(wildcard kernels/x86/*.c)))
define isa
$O/%.c.$1.o: %.c $O/flags
	@mkdir -p $$(@D)
	$$Q $$(CC) $$(CCFLAGS) $$(ISA_$1) -O3 -fno-math-errno -fno-trapping-math -DISA=$1 -MMD -MP -c -o $$@ $$<
endef
$(foreach i,$(ISAS),$(eval $(call isa,$i)))

$O/%.c.o: %.c $O/flags
	@mkdir -p $(@D)
	$Q $(CC) $(CCFLAGS) -MMD -MP -c -o $@ $<

# Compiled vocabularies in users' caches are of the sources that made them: others are made anew.
COMPILED  = $O/common/tokenizer/compiled.c.o
$(COMPILED): $(wildcard common/tokenizer/*.[ch])
$(COMPILED): CPPFLAGS += -DSOURCES='"$(shell cat common/tokenizer/*.[ch] | cksum | cut -d' ' -f1)"'

# Rewritten only when the flags change, so that changed flags rebuild everything.
$O/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(CCFLAGS)' | cmp -s - $@ || echo '$(CC) $(CCFLAGS)' >$@

$O/libcommon.a:  $(call obj,$(COMMON))
$O/libkernels.a: $(call obj,$(KERNELS)) $(ISAOBJ)
$O/%.a:
	$Q $(AR) rcsD $@.tmp $^ && mv $@.tmp $@

# A tool is a directory: every .c in it, and main() in the file of the tool's own name.
define tool
$O/bin/$1: $(call obj,$(wildcard tools/$1/*.c)) $(LIBS)
endef
$(foreach t,$(TOOLS),$(eval $(call tool,$t)))
$O/bin/%:
	@mkdir -p $(@D)
	$Q $(CC) $(LDFLAGS) $(SANFLAGS) -o $@ $^ $(LDLIBS)
ifeq ($(BIN),bin)
bin/%: $O/bin/%
	@mkdir -p bin
	@ln -f $< $@
endif

# A test of a tool's engine links that tool's objects, all but its main.
ENGINES = $(filter-out $(foreach t,$(TOOLS),$O/tools/$t/$t.c.o),$(call obj,$(wildcard tools/*/*.c)))
$O/libengines.a: $(ENGINES)
$(UNIT) $(ORACLE) $(BENCH): $O/tests/%: $O/tests/%.c.o $O/libengines.a $(LIBS)
	$Q $(CC) $(LDFLAGS) $(SANFLAGS) -o $@ $^ $(LDLIBS)
unit: $(UNIT) $(ORACLE)

# ---- using it ----------------------------------------------------------------------------------------

# SLUICE_BIN is where the tests find the programs, SLUICE_CC what the lint compiles with. Nothing is left in the
# user's cache.
RUN = SLUICE_BIN='$(BIN)' SLUICE_CC='$(CC) $(CCFLAGS)' XDG_CACHE_HOME='$(abspath $O)/cache'
test: all $(UNIT)
	$(RUN) prove -j $(JOBS) -e '' $(SCRIPTS) $(UNIT)
lint: all
	$(RUN) prove -j $(JOBS) -e '' $(wildcard tests/lint/*.sh)
bench: all $(BENCH)
	@set -e; for b in $(BENCH) $(filter-out %/lib.sh,$(wildcard tests/bench/*.sh)); do $(RUN) $$b; done
demo: all
	$(RUN) pipelines/demo.sh

# The sample model is committed; this makes it again from its generator.
sample: all
	$(RUN) pipelines/sample/train.sh

COMPLETIONS := $(DESTDIR)$(PREFIX)/share/bash-completion/completions
SITE_FUNCS  := $(DESTDIR)$(PREFIX)/share/zsh/site-functions
PIPELINES   := $(DESTDIR)$(PREFIX)/share/sluice/pipelines
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(MANDIR)/man1 $(DESTDIR)$(MANDIR)/man5 \
		$(COMPLETIONS) $(SITE_FUNCS) $(PIPELINES)
	install $(TOOLS:%=$(BIN)/%) $(DESTDIR)$(PREFIX)/bin
	install -m 644 docs/man/*.1 $(DESTDIR)$(MANDIR)/man1
	install -m 644 docs/man/*.5 $(DESTDIR)$(MANDIR)/man5
	set -e; for t in $(TOOLS); do \
		docs/completion/bash.sh $(BIN)/$$t >$(COMPLETIONS)/$$t; \
		docs/completion/zsh.sh $(BIN)/$$t >$(SITE_FUNCS)/_$$t; done
	install pipelines/dpo.sh pipelines/orpo.sh pipelines/sft.sh pipelines/accuracy.sh $(PIPELINES)
	install -m 644 pipelines/lib.sh pipelines/dpo.mk $(PIPELINES)
uninstall:
	rm -f $(TOOLS:%=$(DESTDIR)$(PREFIX)/bin/%) $(TOOLS:%=$(COMPLETIONS)/%) $(TOOLS:%=$(SITE_FUNCS)/_%)
	rm -f $(patsubst docs/man/%,$(DESTDIR)$(MANDIR)/man1/%,$(wildcard docs/man/*.1))
	rm -f $(patsubst docs/man/%,$(DESTDIR)$(MANDIR)/man5/%,$(wildcard docs/man/*.5))
	rm -rf $(DESTDIR)$(PREFIX)/share/sluice

clean:
	rm -rf build bin demo
-include $(shell find $O -name '*.d' 2>/dev/null)
