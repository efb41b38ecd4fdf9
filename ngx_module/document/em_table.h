
/*
 * Included by tables/<name>.gperf files only.
 */


#ifndef _EM_TABLE_H_INCLUDED_
#define _EM_TABLE_H_INCLUDED_


#include <string.h>               /* gperf's lookup calls memcmp() */

#include "em_document.h"


/* gperf defines it without "static", this declaration sets the linkage */

static const em_entry_t *find_code(const char *code, size_t len);


/*
 * Defines the document of a table file, after its second "%%" and the arrays
 * "sources" and "success".  gperf generates the table "entries" and its lookup
 * "find_code".
 */

#define em_document(doc)                                                      \
    const em_document_t  em_document_##doc = {                                \
        em_string(#doc),                                                      \
        sources, sizeof(sources) / sizeof(sources[0]),                        \
        success, sizeof(success) / sizeof(success[0]),                        \
        entries, sizeof(entries) / sizeof(entries[0]),                        \
        sizeof(entries) / sizeof(entries[0]),                                 \
        find_code, NULL, 0, NULL, 0, NULL, 0, 0, 0, NULL                      \
    }


/*
 * The same for a document that has more to say than codes, in an array "lines"
 * of the lines that a document of nginx.conf would have:
 *
 *     static const em_line_t  lines[] = {
 *         em_line("field", "message", "json", "/error_msg")
 *     };
 */

#define em_line(...)  { __LINE__, { __VA_ARGS__ } }

#define em_document_lines(doc)                                                \
    const em_document_t  em_document_##doc = {                                \
        em_string(#doc),                                                      \
        sources, sizeof(sources) / sizeof(sources[0]),                        \
        success, sizeof(success) / sizeof(success[0]),                        \
        entries, sizeof(entries) / sizeof(entries[0]),                        \
        sizeof(entries) / sizeof(entries[0]),                                 \
        find_code, lines, sizeof(lines) / sizeof(lines[0]), NULL, 0,          \
        NULL, 0, 0, 0, NULL                                                   \
    }


#endif /* _EM_TABLE_H_INCLUDED_ */
