#ifndef GODWIT_SANITIZER_OPTIONS_H
#define GODWIT_SANITIZER_OPTIONS_H

/// Options for the address sanitizer, if the tests run under it.
const char *__asan_default_options(void);

/// What the thread sanitizer is not to report, if the tests run under it.
const char *__tsan_default_suppressions(void);

#endif
