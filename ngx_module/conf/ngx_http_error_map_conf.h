
/*
 * The types of the configuration.
 */


#ifndef _NGX_HTTP_ERROR_MAP_CONF_H_INCLUDED_
#define _NGX_HTTP_ERROR_MAP_CONF_H_INCLUDED_


#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include "em_document.h"
#include "em_group.h"
#include "em_json.h"
#include "em_select.h"


#pragma GCC visibility push(hidden)


#define ngx_http_error_map_equal(a, b)                                        \
    ((a)->len == (b)->len                                                     \
     && ngx_strncmp((a)->data, (b)->data, (b)->len) == 0)

/* cold paths are kept out of line, so that the fast path saves no registers */
#define ngx_http_error_map_noinline  __attribute__((noinline))

#define NGX_HTTP_ERROR_MAP_VERSION    "2.0.0"

/* the statuses that error_map_statuses can name */
#define NGX_HTTP_ERROR_MAP_STATUS_MIN  200
#define NGX_HTTP_ERROR_MAP_STATUS_MAX  999

#define NGX_HTTP_ERROR_MAP_STATUS_WORDS                                       \
    ((NGX_HTTP_ERROR_MAP_STATUS_MAX - NGX_HTTP_ERROR_MAP_STATUS_MIN) / 32 + 1)

#define ngx_http_error_map_status_bit(status)                                 \
    ((uint32_t) 1 << ((status) - NGX_HTTP_ERROR_MAP_STATUS_MIN) % 32)

#define ngx_http_error_map_status_word(statuses, status)                      \
    ((statuses)[((status) - NGX_HTTP_ERROR_MAP_STATUS_MIN) / 32])

/* a bit of r->buffered that nginx's own filters leave free */
#define NGX_HTTP_ERROR_MAP_BUFFERED   0x08

/* the longest content type that is remembered */
#define NGX_HTTP_ERROR_MAP_SKIPPED_TYPE  32

#define NGX_HTTP_ERROR_MAP_NO_RETRY   ((time_t) -1)


/* ngx_http_error_map_verdicts has the names, by value */

typedef enum {
    NGX_HTTP_ERROR_MAP_UNDECIDED = 0,
    NGX_HTTP_ERROR_MAP_NONE,
    NGX_HTTP_ERROR_MAP_SUCCESS,
    NGX_HTTP_ERROR_MAP_SKIPPED,
    NGX_HTTP_ERROR_MAP_UNKNOWN,
    NGX_HTTP_ERROR_MAP_MAPPED,
    NGX_HTTP_ERROR_MAP_VERDICTS
} ngx_http_error_map_verdict_e;

/* only these have a code to report */
#define ngx_http_error_map_is_error(verdict)                                  \
    ((verdict) >= NGX_HTTP_ERROR_MAP_UNKNOWN)


/* the verdicts "none" of a policy's row have these reasons, see reason.h */
#define NGX_HTTP_ERROR_MAP_NONE_REASONS  4


typedef enum {
    NGX_HTTP_ERROR_MAP_NEXT_STATUS = 0,      /* nginx decides by the status */
    NGX_HTTP_ERROR_MAP_NEXT_ON,
    NGX_HTTP_ERROR_MAP_NEXT_OFF
} ngx_http_error_map_next_e;


/* the action of a policy for a code, or for a response without one */

typedef struct {
    ngx_uint_t                      status;       /* 0: the upstream's */
    time_t                          retry_after;  /* in seconds */
    ngx_http_error_map_next_e       next;         /* next_upstream */
    ngx_uint_t                      fails_off;    /* unsigned  fails_off:1; */
} ngx_http_error_map_action_t;


typedef enum {
    NGX_HTTP_ERROR_MAP_BASE_DOCUMENT = 0,
    NGX_HTTP_ERROR_MAP_BASE_CLASS,
    NGX_HTTP_ERROR_MAP_BASE_KEEP
} ngx_http_error_map_base_e;


/* a row of a document, used at configuration time only */

typedef struct {
    em_entry_t                       entry;
    u_char                          *file;
    ngx_uint_t                       line;
} ngx_http_error_map_row_t;


/* the same for a row of many codes; its entry has the label for a code */

typedef struct {
    em_group_t                       group;
    ngx_http_error_map_row_t         row;
    ngx_str_t                        name;   /* "range 1000-1099" */
    unsigned                         success:1;
} ngx_http_error_map_group_row_t;


/* opaque, see zone.h */

typedef struct ngx_http_error_map_zone_s  ngx_http_error_map_zone_t;


/* a pattern, of text bodies or of a value */

typedef struct {
    ngx_str_t                       text;
    void                           *code;    /* pcre2_code * */
    ngx_uint_t                      group;   /* number, 0 is the whole match */
    uint32_t                        references;  /* highest back reference */
    ngx_str_t                       word;    /* "code=" of a source, or "" */
} ngx_http_error_map_pattern_t;


/* a line "source header" */

typedef struct {
    ngx_array_t                     names;   /* of ngx_str_t */
    ngx_http_error_map_pattern_t   *pattern; /* "pattern=", or NULL */
    ngx_str_t                       word;    /* "code=", or "" */
} ngx_http_error_map_header_source_t;


/* a line "field" or "retry_after" of a header or a pattern */

typedef struct {
    ngx_uint_t                      number;  /* of the field */
    ngx_uint_t                      line;
    ngx_str_t                       name;    /* of the header, or "" */
    ngx_http_error_map_pattern_t   *pattern; /* regex, "pattern=", or NULL */
    ngx_uint_t                      ms;      /* unit=ms; unsigned  ms:1; */
} ngx_http_error_map_field_t;


/* the number of the field that "retry_after" is */
#define NGX_HTTP_ERROR_MAP_RETRY_FIELD  (EM_PLAN_PATHS - 1)


typedef struct {
    ngx_str_t                       name;
    ngx_uint_t                      number;  /* in main conf's documents */
    const em_document_t            *table;

    /* the sources */
    ngx_array_t                     headers;   /* of ..._header_source_t */
    em_json_pointers_t              pointers;  /* if the plan is plain */
    em_plan_t                      *plan;      /* NULL without JSON sources */
    ngx_array_t                     patterns;  /* of ..._pattern_t */
    size_t                          behind;  /* bytes kept for lookbehinds */
    ngx_uint_t                      ncaptures;  /* most of a pattern */
    em_charset_e                    charset; /* UNKNOWN: Content-Type's */

    /* the fields, by number */
    ngx_array_t                     fields;       /* of ngx_str_t: names */
    ngx_array_t                     field_lines;  /* of ..._field_t */
    ngx_uint_t                      nfields;  /* the others are a base's */
    uint64_t                        wanted;  /* bits of the fields in use */
    ngx_uint_t                      lines;   /* of fields, so far */
    ngx_uint_t                      retry;   /* some are "retry_after" */
    ngx_uint_t                      json_fields;  /* some wanted are JSON's */
    ngx_uint_t                      text_fields;  /* ... are by pattern */

    /*
     * A document from nginx.conf or with lines, until its table is built.  Rows
     * of the base follow its own ones, and give way to them.
     */
    u_char                         *file;    /* first use, or the block */
    ngx_uint_t                      line;
    const em_document_t            *base;    /* itself with lines */
    ngx_array_t                     rows;    /* of ngx_http_error_map_row_t */
    ngx_uint_t                      nrows;   /* own ones */
    ngx_array_t                     groups;  /* of ..._group_row_t */
    ngx_uint_t                      ngroups; /* own ones */
    ngx_array_t                     success_codes;  /* of em_str_t */
    unsigned                        defined:1;
    unsigned                        compiled:1;

    ngx_uint_t                      nliteral;  /* 0 if codes need escapes */
    ngx_uint_t                      direct;    /* nothing but plain pointers */

    /* by slot: rows that every policy treats alike are of one kind */
    uint32_t                       *kinds;
    ngx_uint_t                      nkinds;

    struct ngx_http_error_map_ctx_s *none;    /* by reason of "none" */
    struct ngx_http_error_map_ctx_s *success; /* by number of success code */
} ngx_http_error_map_document_t;


/* opaque, see answer.h */

typedef struct ngx_http_error_map_answers_s  ngx_http_error_map_answers_t;


/* where a directive stands */

typedef struct {
    u_char                         *file;
    ngx_uint_t                      line;
} ngx_http_error_map_place_t;


typedef struct {
    ngx_str_t                       name;
    u_char                         *file;    /* first use, or the block */
    ngx_uint_t                      line;

    ngx_uint_t                      base;
    ngx_http_error_map_action_t    *classes[EM_NCLASSES];
    ngx_http_error_map_action_t    *unknown;

    /* by reason, from "empty" on, and of the reasons that no row names */
    ngx_http_error_map_action_t    *none[NGX_HTTP_ERROR_MAP_NONE_REASONS];
    ngx_http_error_map_action_t    *none_others;

    time_t                          retry_after_max;

    ngx_array_t                     statuses;
    ngx_array_t                     codes;

    /* by number of document, then by kind of row */
    ngx_http_error_map_action_t   **actions;

    /* the first row with "next_upstream" */
    ngx_http_error_map_place_t      next_place;

    unsigned                        defined:1;
    unsigned                        base_set:1;
    unsigned                        next_upstream:1;  /* there is such a row */
} ngx_http_error_map_policy_t;


/* the rows "status" and "code" of a policy */

typedef struct {
    ngx_uint_t                    status;
    ngx_http_error_map_action_t   action;
} ngx_http_error_map_status_row_t;


typedef struct {
    ngx_str_t                     matcher;   /* document/code, or a range */
    ngx_str_t                     document;
    ngx_str_t                     code;      /* or a label */
    int64_t                       first;
    int64_t                       last;
    ngx_http_error_map_action_t   action;
    u_char                       *file;
    ngx_uint_t                    line;
    ngx_uint_t                    number;    /* in the order of the file */
    unsigned                      range:1;
    unsigned                      used:1;
} ngx_http_error_map_code_row_t;


typedef struct {
    ngx_str_t                       key;
    u_char                         *lowcase_key;  /* shared by equal names */
    ngx_uint_t                      hash;
    ngx_http_complex_value_t        value;
    ngx_int_t                       variable;  /* whole value, or DECLINED */
    unsigned                        vendor:1;  /* vendors may send it, too */
    unsigned                        freshness:1;  /* Cache-Control, Expires */
} ngx_http_error_map_header_t;


#define ngx_http_error_map_place(cf, place)                                   \
    (place)->file = (cf)->conf_file->file.name.data;                          \
    (place)->line = (cf)->conf_file->line


/* see observe.h */

typedef struct {
    ngx_module_t                   *pass;    /* of proxy_pass etc., or NULL */
    ngx_uint_t                      headers; /* some proxy_set_header is here */
    ngx_str_t                       coding;  /* its Accept-Encoding, or NULL */
    ngx_http_error_map_place_t      coding_place;
} ngx_http_error_map_observed_t;


/* the body that replaces the vendor's, by error_map_body */

typedef enum {
    NGX_HTTP_ERROR_MAP_ESCAPE_NONE = 0,
    NGX_HTTP_ERROR_MAP_ESCAPE_JSON,
    NGX_HTTP_ERROR_MAP_ESCAPE_XML
} ngx_http_error_map_escape_e;


typedef struct {
    ngx_str_t                       prefix;  /* of a problem's type, or "" */

    /* a template; its type is NULL for a problem */
    ngx_str_t                       type;
    size_t                          type_len;  /* as in headers_out */
    ngx_str_t                       charset;
    ngx_http_error_map_escape_e     escape;
    ngx_array_t                     parts;   /* of ..._part_t */
    ngx_http_error_map_place_t      place;

    unsigned                        always:1;
} ngx_http_error_map_body_t;


typedef struct {
    /* of ngx_http_error_map_document_t * */
    ngx_array_t                     documents;

    /* of ngx_http_error_map_policy_t *, the first is the unnamed default */
    ngx_array_t                     policies;

    /* of ngx_http_error_map_header_t */
    ngx_array_t                    *headers;

    /* upstreams with their original handlers, see peer.c */
    ngx_array_t                     peers;

    ngx_http_error_map_zone_t      *zone;    /* NULL without error_map_zone */
    u_char                         *metrics_file;  /* first metrics page */
    ngx_uint_t                      metrics_line;

    ngx_uint_t                      problem;  /* some body is one */
    ngx_array_t                     templates;  /* of ..._body_t * */
    ngx_uint_t                      codes;    /* of all attempts are used */

    /* until the configuration is read, for warnings */
    ngx_array_t                     locations;  /* of ..._location_t */
    ngx_array_t                     subrequests;  /* of ngx_str_t: their URIs */
    ngx_uint_t                      ssi;
    size_t                          hold_total;
    ngx_module_t                   *slice;   /* NULL without this filter */
    ngx_uint_t                      enabled;
    ngx_uint_t                      upstream;  /* error_map_upstream is used */
} ngx_http_error_map_main_conf_t;


typedef struct {
    ngx_flag_t                      enable;
    ngx_http_error_map_document_t  *document;  /* NULL for a variable */
    ngx_http_complex_value_t        variable;
    ngx_http_error_map_policy_t    *policy;

    ngx_hash_t                      types;
    ngx_array_t                    *types_keys;
    uint64_t                        type_bits;
    ngx_uint_t                      json;  /* application/json is in types */
    ngx_uint_t                      direct;  /* direct.h may read it */
    ngx_http_error_map_answers_t   *answers;  /* if direct is set */
    ngx_pool_t                     *pool;  /* ... that they are allocated from */
    size_t                          skipped_len;  /* the last other type */
    u_char                          skipped[NGX_HTTP_ERROR_MAP_SKIPPED_TYPE];
    uint32_t                       *statuses;  /* a bit each, NULL for all */

    size_t                          hold_size;
    ngx_msec_t                      hold_timeout;
    ngx_uint_t                      events;  /* JSON texts to look into */
    ngx_array_t                    *headers;
    uint64_t                        spoofed; /* name bits of headers */
    ngx_str_t                       proxy_status;  /* a member's name, or "" */
    ngx_flag_t                      dry_run;
    ngx_uint_t                      decode;  /* bits of codings */
    ngx_http_error_map_body_t      *body;  /* NULL for the vendor's */
    ngx_flag_t                      intercept;
    ngx_flag_t                      upstream;
    u_char                         *metrics_file;  /* error_map_metrics */
    ngx_uint_t                      metrics_line;

    /* for warnings */
    ngx_uint_t                      json_only;  /* types has no others */
    ngx_http_error_map_place_t      place;      /* error_map */
    ngx_http_error_map_place_t      intercept_place;
    ngx_http_error_map_place_t      upstream_place;
    ngx_http_error_map_observed_t   observed;
} ngx_http_error_map_loc_conf_t;



extern ngx_module_t  ngx_http_error_map_filter_module;
extern ngx_module_t  ngx_http_error_map_header_filter_module;


#pragma GCC visibility pop


#endif /* _NGX_HTTP_ERROR_MAP_CONF_H_INCLUDED_ */
