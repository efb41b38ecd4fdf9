
/*
 * The module's directives and the rows of its blocks: any text inside http {}
 * is accepted, or rejected with a logged error, and no file remains open.
 *
 * Input: the text.
 */


#include "ngx.h"

#include "ngx_http_error_map_document.h"
#include "ngx_http_error_map_policy.h"


/* nginx's modules that take part; all others are left out */

extern ngx_module_t  ngx_http_log_module;
extern ngx_module_t  ngx_http_proxy_module;
extern ngx_module_t  ngx_http_rewrite_module;
extern ngx_module_t  ngx_http_upstream_keepalive_module;
extern ngx_module_t  ngx_http_write_filter_module;
extern ngx_module_t  ngx_http_header_filter_module;
extern ngx_module_t  ngx_http_copy_filter_module;

static ngx_module_t  *fuzz_modules[] = {
    &ngx_http_module,
    &ngx_http_core_module,
    &ngx_http_log_module,
    &ngx_http_upstream_module,
    &ngx_http_rewrite_module,
    &ngx_http_proxy_module,
    &ngx_http_upstream_keepalive_module,
    &ngx_http_write_filter_module,
    &ngx_http_header_filter_module,
    &ngx_http_error_map_filter_module,
    &ngx_http_copy_filter_module,
    &ngx_http_error_map_header_filter_module,
    NULL
};


/* the lowest unused file descriptor */

static int
fuzz_free_fd(void)
{
    int  fd;

    fd = dup(0);

    if (fd != -1) {
        (void) close(fd);
    }

    return fd;
}


/* looks up each row and each code of an accepted configuration */

static void
fuzz_look_up(ngx_cycle_t *cycle)
{
    size_t                           len;
    ngx_uint_t                       i, k, n;
    const char                      *code;
    const em_entry_t                *entry;
    const em_document_t             *table;
    ngx_http_error_map_action_t     *action;
    ngx_http_error_map_policy_t    **policies;
    ngx_http_error_map_document_t  **documents;
    ngx_http_error_map_main_conf_t  *emcf;

    emcf = fuzz_main_conf(cycle, &ngx_http_error_map_filter_module);

    policies = emcf->policies.elts;
    documents = emcf->documents.elts;

    for (i = 0; i < emcf->documents.nelts; i++) {

        table = documents[i]->table;

        if (table == NULL || table->find) {
            continue;
        }

        for (n = 0; n < table->nslots; n++) {
            code = table->entries[n].code;
            len = ngx_strlen(code);
            entry = em_entry_find(table, code, len);

            if (entry != (n < table->nexact ? &table->entries[n] : NULL)) {
                fprintf(stderr, "code \"%s\" is not found, or a label is\n",
                        code);
                abort();
            }

            entry = &table->entries[n];

            for (k = 0; k < emcf->policies.nelts; k++) {

                if (policies[k]->actions == NULL) {
                    continue;
                }

                action = ngx_http_error_map_policy_action(policies[k],
                                                          documents[i], entry);

                if (action
                    && (action->status > 599
                        || (action->status && action->status < 200)
                        || action->status == 204
                        || action->status == 205
                        || action->status == 206
                        || action->status == 304))
                {
                    fprintf(stderr, "status %d for code \"%s\"\n",
                            (int) action->status, code);
                    abort();
                }
            }
        }
    }
}


int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
    fuzz_start();

    ngx_str_set(&fuzz_include, "fuzz/include/");

    return 0;
}


int
LLVMFuzzerTestOneInput(const u_char *data, size_t size)
{
    int           fd;
    u_char       *text, *p;
    ngx_pool_t   *pool;
    ngx_cycle_t  *cycle;

    fd = fuzz_free_fd();
    fuzz_errors = 0;

    text = malloc(size + sizeof("http {\n\n}\n"));

    p = ngx_cpymem(text, "http {\n", 7);
    p = ngx_cpymem(p, data, size);
    p = ngx_cpymem(p, "\n}\n", 3);

    cycle = fuzz_conf(fuzz_modules, &pool, text, p - text);

    free(text);

    if (cycle == NULL && fuzz_errors == 0) {
        fprintf(stderr, "rejected without an error\n");
        abort();
    }

    if (cycle
        && cycle->conf_ctx[ngx_http_module.index]
        && ngx_strnstr((u_char *) data, "error_map", size))
    {
        fuzz_look_up(cycle);
    }

    ngx_destroy_pool(pool);

    if (fuzz_free_fd() != fd) {
        fprintf(stderr, "a file remains open\n");
        abort();
    }

    return 0;
}
