#include "SanitizerOptions.h"

// The address sanitizer reads this when the process starts. Its search for leaks is off: it does not recognise
// pointers whose spare bits hold the case of a Swift enumeration, reports what lives until the process ends, and finds
// some in XCTest itself. Memory that grows is found by tests that count instead.
const char *__asan_default_options(void) { return "detect_leaks=0"; }

// So does the thread sanitizer. It does not see the standard library's Mutex on Linux, which is a futex of its own, and
// takes what swift-subprocess guards by one for races. (In a pattern a dollar sign is the end of a name.)
const char *__tsan_default_suppressions(void) { return "race:s10Subprocess\n"; }
