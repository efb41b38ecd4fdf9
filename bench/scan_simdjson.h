
/*
 * simdjson in functions that can be compiled twice, for two processors.
 */


#ifndef _SCAN_SIMDJSON_H_INCLUDED_
#define _SCAN_SIMDJSON_H_INCLUDED_


#include <simdjson.h>


/* the number in the top-level member "StatusCode", or -1; parsers are reused */

long simdjson_ondemand(const simdjson::padded_string &text);
long simdjson_dom(const simdjson::padded_string &text);

long simdjson_avx2_ondemand(const simdjson::padded_string &text);
long simdjson_avx2_dom(const simdjson::padded_string &text);


#endif /* _SCAN_SIMDJSON_H_INCLUDED_ */
