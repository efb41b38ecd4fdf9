
/* compiled once or twice; the names of the functions begin with NAME */


#include "scan_simdjson.h"


#define concat(a, b)    a##b
#define function(a, b)  concat(a, b)


/*
 * operator[] is find_field_unordered(), which takes the first member, as
 * em_json does.
 */

long
function(NAME, _ondemand)(const simdjson::padded_string &text)
{
    int64_t                               code;
    simdjson::ondemand::document          doc;
    static simdjson::ondemand::parser     parser;

    if (parser.iterate(text).get(doc) != simdjson::SUCCESS
        || doc["StatusCode"].get_int64().get(code) != simdjson::SUCCESS)
    {
        return -1;
    }

    return (long) code;
}


long
function(NAME, _dom)(const simdjson::padded_string &text)
{
    int64_t                       code;
    simdjson::dom::element        doc;
    static simdjson::dom::parser  parser;

    if (parser.parse(text).get(doc) != simdjson::SUCCESS
        || doc["StatusCode"].get_int64().get(code) != simdjson::SUCCESS)
    {
        return -1;
    }

    return (long) code;
}
