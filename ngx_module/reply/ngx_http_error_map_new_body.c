
#include "ngx_http_error_map_new_body.h"
#include "ngx_http_error_map_header.h"
#include "ngx_http_error_map_problem.h"
#include "ngx_http_error_map_template.h"


static char *ngx_http_error_map_body_problem(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body);
static char *ngx_http_error_map_body_template(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body);
static char *ngx_http_error_map_body_invalid(ngx_conf_t *cf, ngx_str_t *value);
static ngx_buf_t *ngx_http_error_map_body_buf(ngx_http_request_t *r,
    ngx_str_t *text);


static ngx_str_t  ngx_http_error_map_problem_type =
                                        ngx_string("application/problem+json");


char *
ngx_http_error_map_body(ngx_conf_t *cf, ngx_command_t *cmd, void *conf)
{
    ngx_http_error_map_loc_conf_t *emlcf = conf;

    ngx_str_t                  *value;
    ngx_uint_t                  n;
    ngx_http_error_map_body_t  *body;

    if (emlcf->body != NGX_CONF_UNSET_PTR) {
        return "is duplicate";
    }

    value = cf->args->elts;
    n = cf->args->nelts;

    if (ngx_strcmp(value[1].data, "keep") == 0) {

        if (n > 2) {
            return ngx_http_error_map_body_invalid(cf, &value[2]);
        }

        emlcf->body = NULL;
        return NGX_CONF_OK;
    }

    body = ngx_pcalloc(cf->pool, sizeof(ngx_http_error_map_body_t));
    if (body == NULL) {
        return NGX_CONF_ERROR;
    }

    emlcf->body = body;

    if (ngx_strcmp(value[1].data, "problem") == 0) {
        return ngx_http_error_map_body_problem(cf, body);
    }

    if (ngx_strcmp(value[1].data, "template") == 0) {
        return ngx_http_error_map_body_template(cf, body);
    }

    return ngx_http_error_map_body_invalid(cf, &value[1]);
}


static char *
ngx_http_error_map_body_problem(ngx_conf_t *cf, ngx_http_error_map_body_t *body)
{
    u_char                           ch;
    size_t                           i;
    ngx_str_t                       *value, *prefix;
    ngx_uint_t                       n;
    ngx_http_error_map_main_conf_t  *emcf;

    value = cf->args->elts;
    n = 2;

    emcf = ngx_http_conf_get_module_main_conf(cf,
                                              ngx_http_error_map_filter_module);
    emcf->problem = 1;

    prefix = &body->prefix;

    if (n < cf->args->nelts && value[n].len > 5
        && ngx_strncmp(value[n].data, "type=", 5) == 0)
    {
        prefix->data = value[n].data + 5;
        prefix->len = value[n].len - 5;
        n++;
    }

    if (n < cf->args->nelts && ngx_strcmp(value[n].data, "always") == 0) {
        body->always = 1;
        n++;
    }

    if (n < cf->args->nelts) {
        return ngx_http_error_map_body_invalid(cf, &value[n]);
    }

    /* RFC 3986, without escapes in JSON; "$name" would not be evaluated */

    for (i = 0; i < prefix->len; i++) {
        ch = prefix->data[i];

        if (ch <= ' ' || ch > '~' || ngx_strchr("\"<>\\^`{|}", ch)
            || (ch == '$' && ngx_tolower(prefix->data[i + 1]) >= 'a'
                && ngx_tolower(prefix->data[i + 1]) <= 'z'))
        {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid type \"%V\" in \"error_map_body\", it "
                               "must be a prefix of a URI without variables",
                               prefix);
            return NGX_CONF_ERROR;
        }
    }

    return NGX_CONF_OK;
}


static char *
ngx_http_error_map_body_template(ngx_conf_t *cf,
    ngx_http_error_map_body_t *body)
{
    ngx_str_t   *value;
    ngx_uint_t   n;

    value = cf->args->elts;
    n = cf->args->nelts;

    if (n < 4) {
        ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                           "no %s in \"error_map_body\", it must be "
                           "\"template type string [always]\", like \"template "
                           "text/plain '$error_map_code'\"",
                           n == 3
                           && ngx_http_error_map_template_type(&value[2])
                           ? "string" : "type");
        return NGX_CONF_ERROR;
    }

    if (n == 5) {

        if (ngx_strcmp(value[4].data, "always") != 0) {
            ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                               "invalid parameter \"%V\" in "
                               "\"error_map_body\", it must be \"template type "
                               "string [always]\", with quotes around a string "
                               "with spaces", &value[4]);
            return NGX_CONF_ERROR;
        }

        body->always = 1;
    }

    return (ngx_http_error_map_template_compile(cf, body, &value[2], &value[3])
            == NGX_OK)
           ? NGX_CONF_OK : NGX_CONF_ERROR;
}


static char *
ngx_http_error_map_body_invalid(ngx_conf_t *cf, ngx_str_t *value)
{
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "invalid parameter \"%V\" in \"error_map_body\", it must "
                       "be \"keep\", \"problem [type=prefix] [always]\" or "
                       "\"template type string [always]\"", value);
    return NGX_CONF_ERROR;
}


ngx_int_t
ngx_http_error_map_create_body(ngx_http_request_t *r,
    ngx_http_error_map_body_t *body, ngx_http_error_map_ctx_t *ctx)
{
    ngx_int_t   rc;
    ngx_str_t   text, *type;

    /* clients that look at the status take the body of a 200 for a result */

    if (ctx->status < NGX_HTTP_BAD_REQUEST && !body->always) {
        return NGX_OK;
    }

    type = body->type.data ? &body->type : &ngx_http_error_map_problem_type;

    rc = body->type.data
         ? ngx_http_error_map_template_text(r, body, &text)
         : ngx_http_error_map_problem(r, &body->prefix, ctx, &text);

    if (rc != NGX_OK) {
        return NGX_ERROR;
    }

    ctx->body = ngx_http_error_map_body_buf(r, &text);
    if (ctx->body == NULL) {
        return NGX_ERROR;
    }

    /* "If-None-Match: *" applies to the vendor's body */

    r->disable_not_modified = 1;

    ngx_http_error_map_remove_representation(r);

    ngx_http_clear_content_length(r);
    r->headers_out.content_length_n = text.len;

    r->headers_out.content_type = *type;
    r->headers_out.content_type_len = body->type.data ? body->type_len
                                                      : type->len;
    r->headers_out.content_type_lowcase = NULL;
    r->headers_out.charset = body->charset;

    return NGX_OK;
}


/* an empty text must have no memory, see ngx_buf_special() */

static ngx_buf_t *
ngx_http_error_map_body_buf(ngx_http_request_t *r, ngx_str_t *text)
{
    ngx_buf_t  *b;

    b = ngx_calloc_buf(r->pool);
    if (b == NULL) {
        return NULL;
    }

    b->last_buf = (r == r->main);
    b->last_in_chain = 1;

    if (text->len == 0) {
        b->sync = 1;
        return b;
    }

    b->start = text->data;
    b->pos = text->data;
    b->last = text->data + text->len;
    b->end = b->last;
    b->temporary = 1;

    return b;
}
