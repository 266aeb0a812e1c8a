#include "CGodwitSocket.h"
