#ifndef GODWIT_SANITIZER_OPTIONS_H
#define GODWIT_SANITIZER_OPTIONS_H

/// Options for the address sanitizer, if the tests run under it.
const char *__asan_default_options(void);

#endif
