
#include "ngx_http_error_map_template.h"
#include "ngx_http_error_map_util.h"


static ngx_int_t ngx_http_error_map_template_set_type(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body, ngx_str_t *type);
static ngx_uint_t ngx_http_error_map_type_is(ngx_str_t *subtype, char *name);
static ngx_int_t ngx_http_error_map_template_parts(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body, ngx_str_t *text);
static ngx_int_t ngx_http_error_map_template_push(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body, ngx_str_t *text, ngx_uint_t variable);
static ngx_uint_t ngx_http_error_map_known_variable(
    ngx_http_core_main_conf_t *cmcf, ngx_str_t *name);
static size_t ngx_http_error_map_escape(u_char *dst, ngx_str_t *value,
    ngx_http_error_map_escape_e escape, ngx_uint_t bare);
static size_t ngx_http_error_map_escape_xml(u_char *dst, ngx_str_t *value);


#define ngx_http_error_map_is_capture(name)                                   \
    ((name)->len == 1 && (name)->data[0] >= '1' && (name)->data[0] <= '9')


ngx_int_t
ngx_http_error_map_template_compile(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body, ngx_str_t *type, ngx_str_t *text)
{
    char                            *error;
    u_char                          *pos;
    ngx_str_t                        rest;
    ngx_http_error_map_body_t      **template;
    ngx_http_error_map_main_conf_t  *emcf;

    ngx_http_error_map_place(cf, &body->place);

    if (ngx_http_error_map_template_set_type(cf, body, type) != NGX_OK) {
        return NGX_ERROR;
    }

    if (text->len == 0) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "empty template in \"error_map_body\"");
        return NGX_ERROR;
    }

    if (ngx_http_error_map_template_parts(cf, body, text) != NGX_OK) {
        return NGX_ERROR;
    }

    if (body->escape == NGX_HTTP_ERROR_MAP_ESCAPE_JSON) {

        error = ngx_http_error_map_template_json(&body->parts, &pos);

        if (error) {
            rest.data = pos;
            rest.len = ngx_min(text->data + text->len - pos, 40);

            if (rest.len == 0) {
                ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                                   "invalid JSON at the end of the template "
                                   "in \"error_map_body\": %s", error);
                return NGX_ERROR;
            }

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid JSON at \"%V\" in the template of "
                               "\"error_map_body\": %s", &rest, error);
            return NGX_ERROR;
        }
    }

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);

    template = ngx_array_push(&emcf->templates);
    if (template == NULL) {
        return NGX_ERROR;
    }

    *template = body;

    return NGX_OK;
}


ngx_uint_t
ngx_http_error_map_template_type(ngx_str_t *type)
{
    u_char     *p, *last, *slash, *semicolon;
    ngx_str_t   name;

    last = type->data + type->len;

    semicolon = ngx_strlchr(type->data, last, ';');
    slash = ngx_strlchr(type->data, semicolon ? semicolon : last, '/');

    if (slash == NULL) {
        return 0;
    }

    name.data = type->data;
    name.len = slash - type->data;

    if (!ngx_http_error_map_header_name(&name)) {
        return 0;
    }

    name.data = slash + 1;
    name.len = (semicolon ? semicolon : last) - name.data;

    if (!ngx_http_error_map_header_name(&name)) {
        return 0;
    }

    for (p = type->data; p < last; p++) {
        if (*p < ' ' || *p > '~' || *p == '*' || *p == '$') {
            return 0;
        }
    }

    /* a parameter at least */

    return semicolon == NULL || ngx_strlchr(semicolon, last, '=') != NULL;
}


/* sets what nginx sets for the type of an upstream's response */

static ngx_int_t
ngx_http_error_map_template_set_type(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body, ngx_str_t *type)
{
    u_char     *p, *last;
    ngx_str_t   media, subtype;

    if (!ngx_http_error_map_template_type(type)) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid type \"%V\" in \"error_map_body\", it must "
                           "be like application/json or \"text/xml; "
                           "charset=utf-8\"", type);
        return NGX_ERROR;
    }

    last = type->data + type->len;

    body->type = *type;
    body->type_len = type->len;

    p = ngx_strlchr(type->data, last, ';');

    media.data = type->data;
    media.len = (p ? p : last) - type->data;

    if (p) {

        for (p++; p < last && *p == ' '; p++) { /* void */ }

        if (ngx_strncasecmp(p, (u_char *) "charset=", 8) == 0) {
            p += 8;

            if (*p == '"' && last - p > 1 && last[-1] == '"') {
                p++;
                last--;
            }

            body->charset.data = p;
            body->charset.len = last - p;
            body->type = media;
            body->type_len = media.len;
        }
    }

    subtype.data = ngx_strlchr(media.data, media.data + media.len, '/') + 1;
    subtype.len = media.data + media.len - subtype.data;

    if (ngx_http_error_map_type_is(&subtype, "json")) {
        body->escape = NGX_HTTP_ERROR_MAP_ESCAPE_JSON;

    } else if (ngx_http_error_map_type_is(&subtype, "xml")
               || (media.len == 9
                   && ngx_strncasecmp(media.data, (u_char *) "text/html", 9)
                      == 0))
    {
        body->escape = NGX_HTTP_ERROR_MAP_ESCAPE_XML;
    }

    if (body->charset.data && body->escape
        && (body->charset.len != 5
            || ngx_strncasecmp(body->charset.data, (u_char *) "utf-8", 5) != 0))
    {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "invalid charset \"%V\" in \"error_map_body\", such "
                           "a template is in utf-8, \"charset\" with "
                           "\"charset_map\" can convert it", &body->charset);
        return NGX_ERROR;
    }

    return NGX_OK;
}


/* "json" and "+json" */

static ngx_uint_t
ngx_http_error_map_type_is(ngx_str_t *subtype, char *name)
{
    size_t   len;
    u_char  *p;

    len = ngx_strlen(name);

    if (subtype->len < len) {
        return 0;
    }

    p = subtype->data + subtype->len - len;

    return ngx_strncasecmp(p, (u_char *) name, len) == 0
           && (p == subtype->data || p[-1] == '+');
}


static ngx_int_t
ngx_http_error_map_template_parts(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body, ngx_str_t *text)
{
    u_char      ch, *p, *last;
    ngx_str_t   part, rest;
    ngx_uint_t  brace;

    if (ngx_array_init(&body->parts, cf->pool, 8,
                       sizeof(ngx_http_error_map_part_t))
        != NGX_OK)
    {
        return NGX_ERROR;
    }

    last = text->data + text->len;
    part.data = text->data;

    for (p = text->data; p < last; /* void */ ) {

        if (*p != '$') {
            p++;
            continue;
        }

        part.len = p - part.data;

        if (part.len
            && ngx_http_error_map_template_push(cf, body, &part, 0) != NGX_OK)
        {
            return NGX_ERROR;
        }

        rest.data = p++;

        brace = (p < last && *p == '{');
        p += brace;

        for (part.data = p; p < last; p++) {
            ch = ngx_tolower(*p);

            if (!(ch >= 'a' && ch <= 'z') && !(ch >= '0' && ch <= '9')
                && ch != '_')
            {
                break;
            }

            /* nginx reads "$10" as a capture and "0" */

            if (p == part.data && *p >= '1' && *p <= '9' && !brace) {
                p++;
                break;
            }
        }

        part.len = p - part.data;

        if (part.len == 0 || (brace && (p == last || *p != '}'))) {
            rest.len = ngx_min(last - rest.data, 40);

            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid variable name at \"%V\" in the template "
                               "of \"error_map_body\", it must be like $name or "
                               "${name}; a \"$\" itself must be a variable, "
                               "such as of \"geo $dollar { default $; }\"",
                               &rest);
            return NGX_ERROR;
        }

        p += brace;

        if (ngx_http_error_map_template_push(cf, body, &part, 1) != NGX_OK) {
            return NGX_ERROR;
        }

        part.data = p;
    }

    part.len = p - part.data;

    return part.len ? ngx_http_error_map_template_push(cf, body, &part, 0)
                    : NGX_OK;
}


static ngx_int_t
ngx_http_error_map_template_push(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body, ngx_str_t *text, ngx_uint_t variable)
{
    ngx_str_t                          name;
    ngx_http_error_map_part_t         *part;
    ngx_http_compile_complex_value_t   ccv;

    part = ngx_array_push(&body->parts);
    if (part == NULL) {
        return NGX_ERROR;
    }

    ngx_memzero(part, sizeof(ngx_http_error_map_part_t));

    part->text = *text;
    part->variable = variable;

    if (!variable) {
        return NGX_OK;
    }

    name.data = ngx_pnalloc(cf->pool, text->len + sizeof("${}"));
    if (name.data == NULL) {
        return NGX_ERROR;
    }

    name.len = ngx_sprintf(name.data, ngx_http_error_map_is_capture(text)
                                      ? "$%V" : "${%V}", text)
               - name.data;

    name.data[name.len] = '\0';

    ngx_memzero(&ccv, sizeof(ngx_http_compile_complex_value_t));

    ccv.cf = cf;
    ccv.value = &name;
    ccv.complex_value = &part->value;

    return ngx_http_compile_complex_value(&ccv);
}


/* nginx would name neither the file nor the line */

ngx_int_t
ngx_http_error_map_template_variables(ngx_conf_t *cf,
    ngx_http_error_map_main_conf_t *emcf)
{
    ngx_uint_t                   i, n;
    ngx_http_error_map_body_t  **template;
    ngx_http_error_map_part_t   *part;
    ngx_http_core_main_conf_t   *cmcf;

    cmcf = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);

    template = emcf->templates.elts;

    for (i = 0; i < emcf->templates.nelts; i++) {

        part = template[i]->parts.elts;

        for (n = 0; n < template[i]->parts.nelts; n++) {

            if (!part[n].variable
                || ngx_http_error_map_known_variable(cmcf, &part[n].text))
            {
                continue;
            }

            ngx_log_error(NGX_LOG_EMERG, cf->log, 0,
                          "unknown variable \"$%V\" in the template of "
                          "\"error_map_body\", it must be one of nginx, of your "
                          "configuration, or of this module, like "
                          "$error_map_code in %s:%ui",
                          &part[n].text, template[i]->place.file,
                          template[i]->place.line);
            return NGX_ERROR;
        }
    }

    return NGX_OK;
}


/* as ngx_http_variables_init_vars() looks for it */

static ngx_uint_t
ngx_http_error_map_known_variable(ngx_http_core_main_conf_t *cmcf,
    ngx_str_t *name)
{
    ngx_uint_t            i;
    ngx_hash_key_t       *key;
    ngx_http_variable_t  *var;

    if (ngx_http_error_map_is_capture(name)) {
        return 1;
    }

    key = cmcf->variables_keys->keys.elts;

    for (i = 0; i < cmcf->variables_keys->keys.nelts; i++) {
        if (key[i].key.len == name->len
            && ngx_strncasecmp(key[i].key.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    var = cmcf->prefix_variables.elts;

    for (i = 0; i < cmcf->prefix_variables.nelts; i++) {
        if (name->len >= var[i].name.len
            && ngx_strncasecmp(var[i].name.data, name->data, var[i].name.len)
               == 0)
        {
            return 1;
        }
    }

    /* a module may know it by its index only */

    var = cmcf->variables.elts;

    for (i = 0; i < cmcf->variables.nelts; i++) {
        if (var[i].get_handler && var[i].name.len == name->len
            && ngx_strncasecmp(var[i].name.data, name->data, name->len) == 0)
        {
            return 1;
        }
    }

    return 0;
}


ngx_int_t
ngx_http_error_map_template_text(ngx_http_request_t *r,
    ngx_http_error_map_body_t *body, ngx_str_t *text)
{
    u_char                     *p;
    ngx_str_t                  *value;
    ngx_uint_t                  i;
    ngx_http_error_map_part_t  *part;

    part = body->parts.elts;
    text->len = 0;

    value = ngx_palloc(r->pool, body->parts.nelts * sizeof(ngx_str_t));
    if (value == NULL) {
        return NGX_ERROR;
    }

    for (i = 0; i < body->parts.nelts; i++) {

        if (!part[i].variable) {
            text->len += part[i].text.len;
            continue;
        }

        if (ngx_http_complex_value(r, &part[i].value, &value[i]) != NGX_OK) {
            return NGX_ERROR;
        }

        text->len += ngx_http_error_map_escape(NULL, &value[i], body->escape,
                                               part[i].bare);
    }

    text->data = ngx_pnalloc(r->pool, text->len + 1);
    if (text->data == NULL) {
        return NGX_ERROR;
    }

    p = text->data;

    for (i = 0; i < body->parts.nelts; i++) {

        if (part[i].variable) {
            p += ngx_http_error_map_escape(p, &value[i], body->escape,
                                           part[i].bare);
        } else {
            p = ngx_cpymem(p, part[i].text.data, part[i].text.len);
        }
    }

    return NGX_OK;
}


/* returns the length, and only that if dst is NULL */

static size_t
ngx_http_error_map_escape(u_char *dst, ngx_str_t *value,
    ngx_http_error_map_escape_e escape, ngx_uint_t bare)
{
    size_t     len;
    ngx_str_t  null;

    if (escape == NGX_HTTP_ERROR_MAP_ESCAPE_XML) {
        return ngx_http_error_map_escape_xml(dst, value);
    }

    if (bare && value->len == 0) {
        ngx_str_set(&null, "null");
        value = &null;
    }

    if (escape == NGX_HTTP_ERROR_MAP_ESCAPE_NONE
        || (bare && ngx_http_error_map_template_json_literal(value)))
    {
        if (dst) {
            ngx_memcpy(dst, value->data, value->len);
        }

        return value->len;
    }

    if (!bare) {
        return ngx_http_error_map_escape_json(dst, value->data, value->len);
    }

    len = ngx_http_error_map_escape_json(dst ? dst + 1 : NULL, value->data,
                                         value->len);

    if (dst) {
        dst[0] = '"';
        dst[len + 1] = '"';
    }

    return len + 2;
}


/* what XML 1.0 does not allow becomes U+FFFD */

static size_t
ngx_http_error_map_escape_xml(u_char *dst, ngx_str_t *value)
{
    u_char  *p, *last;
    size_t   n, len;
    u_char  *text;

    len = 0;
    last = value->data + value->len;

    for (p = value->data; p < last; p += n) {

        n = ngx_http_error_map_utf8(p, last - p);

        switch (*p) {

        case '&':
            text = (u_char *) "&amp;";
            break;

        case '<':
            text = (u_char *) "&lt;";
            break;

        case '>':
            text = (u_char *) "&gt;";
            break;

        case '"':
            text = (u_char *) "&quot;";
            break;

        case '\'':
            text = (u_char *) "&#39;";
            break;

        default:
            text = (n == 0
                    || (*p < 0x20 && *p != '\t' && *p != '\n' && *p != '\r')
                    || (n == 3 && p[0] == 0xef && p[1] == 0xbf && p[2] > 0xbd))
                   ? (u_char *) "\xef\xbf\xbd" : NULL;
        }

        if (n == 0) {
            n = 1;
        }

        if (text == NULL) {

            if (dst) {
                dst = ngx_cpymem(dst, p, n);
            }

            len += n;
            continue;
        }

        if (dst) {
            dst = ngx_cpymem(dst, text, ngx_strlen(text));
        }

        len += ngx_strlen(text);
    }

    return len;
}
