
#include "ngx_http_error_map_template.h"
#include "ngx_http_error_map_util.h"


#define NGX_HTTP_ERROR_MAP_TEMPLATE_DEPTH  64


typedef enum {
    ngx_http_error_map_json_value = 0,
    ngx_http_error_map_json_first_value,     /* or "]" */
    ngx_http_error_map_json_name,
    ngx_http_error_map_json_first_name,      /* or "}" */
    ngx_http_error_map_json_colon,
    ngx_http_error_map_json_string,
    ngx_http_error_map_json_after            /* after a value */
} ngx_http_error_map_json_e;


typedef struct {
    u_char                         *pos;
    u_char                         *last;
    ngx_http_error_map_json_e       state;
    ngx_uint_t                      name;    /* the string is a name */
    ngx_uint_t                      depth;
    u_char                          nested[NGX_HTTP_ERROR_MAP_TEMPLATE_DEPTH];
} ngx_http_error_map_json_t;


static char *ngx_http_error_map_json_text(ngx_http_error_map_json_t *json);
static char *ngx_http_error_map_json_string_char(
    ngx_http_error_map_json_t *json);
static char *ngx_http_error_map_json_token(ngx_http_error_map_json_t *json);
static char *ngx_http_error_map_json_open(ngx_http_error_map_json_t *json);
static char *ngx_http_error_map_json_close(ngx_http_error_map_json_t *json);
static char *ngx_http_error_map_json_variable(ngx_http_error_map_json_t *json,
    ngx_http_error_map_part_t *part);
static char *ngx_http_error_map_json_expected(ngx_http_error_map_json_t *json);
static u_char *ngx_http_error_map_digits_end(u_char *p, u_char *last);


char *
ngx_http_error_map_template_json(ngx_array_t *parts, u_char **pos)
{
    char                       *error;
    ngx_uint_t                  i;
    ngx_http_error_map_json_t   json;
    ngx_http_error_map_part_t  *part;

    ngx_memzero(&json, sizeof(ngx_http_error_map_json_t));

    part = parts->elts;

    for (i = 0; i < parts->nelts; i++) {

        json.pos = part[i].text.data;
        json.last = json.pos + part[i].text.len;

        error = part[i].variable
                ? ngx_http_error_map_json_variable(&json, &part[i])
                : ngx_http_error_map_json_text(&json);

        if (error) {
            *pos = json.pos;
            return error;
        }
    }

    *pos = json.last;

    if (json.state == ngx_http_error_map_json_string) {
        return "a string has no closing quote";
    }

    if (json.state != ngx_http_error_map_json_after || json.depth) {
        return ngx_http_error_map_json_expected(&json);
    }

    return NULL;
}


static char *
ngx_http_error_map_json_text(ngx_http_error_map_json_t *json)
{
    char  *error;

    while (json->pos < json->last) {

        if (json->state == ngx_http_error_map_json_string) {
            error = ngx_http_error_map_json_string_char(json);

        } else if (ngx_strchr(" \t\r\n", *json->pos) && *json->pos) {
            json->pos++;
            error = NULL;

        } else {
            error = ngx_http_error_map_json_token(json);
        }

        if (error) {
            return error;
        }
    }

    return NULL;
}


static char *
ngx_http_error_map_json_string_char(ngx_http_error_map_json_t *json)
{
    u_char  *p;
    size_t   n;

    p = json->pos;

    if (*p == '"') {
        json->state = json->name ? ngx_http_error_map_json_colon
                                 : ngx_http_error_map_json_after;
        json->pos++;
        return NULL;
    }

    if (*p < 0x20) {
        return "a control character in a string, it must be an escape "
               "like \\\\n";
    }

    if (*p == '\\') {

        if (json->last - p > 1 && p[1] && ngx_strchr("\"\\/bfnrt", p[1])) {
            json->pos += 2;
            return NULL;
        }

        for (n = 2;
             n < 6 && json->last - p > (ssize_t) n
             && ((p[n] >= '0' && p[n] <= '9')
                 || (ngx_tolower(p[n]) >= 'a' && ngx_tolower(p[n]) <= 'f'));
             n++)
        {
            /* void */
        }

        if (n < 6 || p[1] != 'u') {
            return "an invalid escape in a string";
        }

        json->pos += 6;
        return NULL;
    }

    n = ngx_http_error_map_utf8(p, json->last - p);
    if (n == 0) {
        return "invalid UTF-8";
    }

    json->pos += n;

    return NULL;
}


static char *
ngx_http_error_map_json_token(ngx_http_error_map_json_t *json)
{
    u_char      ch;
    ngx_str_t   literal;
    ngx_uint_t  value;

    ch = *json->pos;
    value = (json->state == ngx_http_error_map_json_value
             || json->state == ngx_http_error_map_json_first_value);

    if (ch == '"'
        && (value || json->state == ngx_http_error_map_json_name
            || json->state == ngx_http_error_map_json_first_name))
    {
        json->name = !value;
        json->state = ngx_http_error_map_json_string;
        json->pos++;
        return NULL;
    }

    if ((ch == '{' || ch == '[') && value) {
        return ngx_http_error_map_json_open(json);
    }

    if (ch == '}' || ch == ']') {
        return ngx_http_error_map_json_close(json);
    }

    if (ch == ':' && json->state == ngx_http_error_map_json_colon) {
        json->state = ngx_http_error_map_json_value;
        json->pos++;
        return NULL;
    }

    if (ch == ',' && json->state == ngx_http_error_map_json_after
        && json->depth)
    {
        json->state = (json->nested[json->depth - 1] == '{')
                      ? ngx_http_error_map_json_name
                      : ngx_http_error_map_json_value;
        json->pos++;
        return NULL;
    }

    if (!value) {
        return ngx_http_error_map_json_expected(json);
    }

    literal.data = json->pos;

    for (literal.len = 0;
         json->last - literal.data > (ssize_t) literal.len
         && !ngx_strchr(" \t\r\n,:\"[]{}", literal.data[literal.len]);
         literal.len++)
    {
        /* void */
    }

    if (!ngx_http_error_map_template_json_literal(&literal)) {
        return ngx_http_error_map_json_expected(json);
    }

    json->state = ngx_http_error_map_json_after;
    json->pos += literal.len;

    return NULL;
}


static char *
ngx_http_error_map_json_open(ngx_http_error_map_json_t *json)
{
    if (json->depth == NGX_HTTP_ERROR_MAP_TEMPLATE_DEPTH) {
        return "too many nested objects and arrays";
    }

    json->nested[json->depth++] = *json->pos;
    json->state = (*json->pos == '{') ? ngx_http_error_map_json_first_name
                                      : ngx_http_error_map_json_first_value;
    json->pos++;

    return NULL;
}


static char *
ngx_http_error_map_json_close(ngx_http_error_map_json_t *json)
{
    ngx_http_error_map_json_e  empty;

    empty = (*json->pos == '}') ? ngx_http_error_map_json_first_name
                                : ngx_http_error_map_json_first_value;

    if (json->depth == 0
        || json->nested[json->depth - 1] != *json->pos - 2
        || (json->state != empty
            && json->state != ngx_http_error_map_json_after))
    {
        return ngx_http_error_map_json_expected(json);
    }

    json->depth--;
    json->state = ngx_http_error_map_json_after;
    json->pos++;

    return NULL;
}


static char *
ngx_http_error_map_json_variable(ngx_http_error_map_json_t *json,
    ngx_http_error_map_part_t *part)
{
    switch (json->state) {

    case ngx_http_error_map_json_string:
        return NULL;

    case ngx_http_error_map_json_value:
    case ngx_http_error_map_json_first_value:
        part->bare = 1;
        json->state = ngx_http_error_map_json_after;
        return NULL;

    default:
        return ngx_http_error_map_json_expected(json);
    }
}


static char *
ngx_http_error_map_json_expected(ngx_http_error_map_json_t *json)
{
    switch (json->state) {

    case ngx_http_error_map_json_name:
        return "a name in quotes is expected";

    case ngx_http_error_map_json_first_name:
        return "a name in quotes or \"}\" is expected";

    case ngx_http_error_map_json_colon:
        return "\":\" is expected";

    case ngx_http_error_map_json_first_value:
        return "a value or \"]\" is expected";

    case ngx_http_error_map_json_after:

        if (json->depth == 0) {
            return "the end is expected";
        }

        return (json->nested[json->depth - 1] == '{')
               ? "\",\" or \"}\" is expected" : "\",\" or \"]\" is expected";

    default: /* ngx_http_error_map_json_value */
        return "a value is expected, text must be in quotes";
    }
}


ngx_uint_t
ngx_http_error_map_template_json_literal(ngx_str_t *text)
{
    u_char  *p, *last, *digits;

    p = text->data;
    last = p + text->len;

    if ((text->len == 4 && (ngx_strncmp(p, "true", 4) == 0
                            || ngx_strncmp(p, "null", 4) == 0))
        || (text->len == 5 && ngx_strncmp(p, "false", 5) == 0))
    {
        return 1;
    }

    if (p < last && *p == '-') {
        p++;
    }

    digits = p;
    p = ngx_http_error_map_digits_end(p, last);

    if (p == digits || (*digits == '0' && p - digits > 1)) {
        return 0;
    }

    if (p < last && *p == '.') {
        digits = p + 1;
        p = ngx_http_error_map_digits_end(digits, last);

        if (p == digits) {
            return 0;
        }
    }

    if (p < last && (*p == 'e' || *p == 'E')) {
        p++;

        if (p < last && (*p == '+' || *p == '-')) {
            p++;
        }

        digits = p;
        p = ngx_http_error_map_digits_end(p, last);

        if (p == digits) {
            return 0;
        }
    }

    return p == last;
}


static u_char *
ngx_http_error_map_digits_end(u_char *p, u_char *last)
{
    while (p < last && *p >= '0' && *p <= '9') {
        p++;
    }

    return p;
}
