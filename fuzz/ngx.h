
/*
 * Shared by the targets inside nginx: nginx's state after the start, and a
 * configuration read from memory.
 */


#ifndef _FUZZ_NGX_H_INCLUDED_
#define _FUZZ_NGX_H_INCLUDED_


#include "ngx_http_error_map_conf.h"


/*
 * The network and all files but those in fuzz/include are inaccessible: the
 * build wraps these functions.
 */

int __real_open(const char *name, int flags, ...);

int __wrap_open(const char *name, int flags, int mode);
int __wrap_open64(const char *name, int flags, int mode);
int __wrap_glob(const char *pattern, int flags, void *errfunc, void *glob);
int __wrap_glob64(const char *pattern, int flags, void *errfunc, void *glob);
int __wrap_getaddrinfo(const char *node, const char *service, void *hints,
    void *res);
void *__wrap_dlopen(const char *name, int flags);

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const u_char *data, size_t size);


static ngx_log_t       fuzz_log;
static ngx_open_file_t fuzz_log_file;
static ngx_cycle_t     fuzz_init_cycle;
static ngx_str_t       fuzz_include;    /* "" if no file may be included */

/* errors logged, and messages that a pattern was abandoned */

static ngx_uint_t      fuzz_errors;
static ngx_uint_t      fuzz_abandoned;


int
__wrap_open(const char *name, int flags, int mode)
{
    if (fuzz_include.len == 0
        || ngx_strncmp(name, fuzz_include.data, fuzz_include.len) != 0
        || ngx_strstr(name, "..")
        || (flags & O_ACCMODE) != O_RDONLY)
    {
        ngx_set_errno(NGX_ENOENT);
        return -1;
    }

    return __real_open(name, flags);
}


int
__wrap_open64(const char *name, int flags, int mode)
{
    return __wrap_open(name, flags, mode);
}


int
__wrap_glob(const char *pattern, int flags, void *errfunc, void *glob)
{
    return GLOB_NOMATCH;
}


int
__wrap_glob64(const char *pattern, int flags, void *errfunc, void *glob)
{
    return GLOB_NOMATCH;
}


int
__wrap_getaddrinfo(const char *node, const char *service, void *hints,
    void *res)
{
    return EAI_NONAME;
}


void *
__wrap_dlopen(const char *name, int flags)
{
    return NULL;
}


static void
fuzz_log_writer(ngx_log_t *log, ngx_uint_t level, u_char *buf, size_t len)
{
    static int  show = -1;

    if (show == -1) {
        show = getenv("FUZZ_LOG") != NULL;
    }

    if (show) {
        (void) ngx_write_fd(ngx_stderr, buf, len);
        (void) ngx_write_fd(ngx_stderr, "\n", 1);
    }

    if (level <= NGX_LOG_ERR) {
        fuzz_errors++;
    }

    if (ngx_strnstr(buf, "abandoned after", len)) {
        fuzz_abandoned++;
    }
}


/* the parts of main() that the targets need */

static void
fuzz_start(void)
{
    ngx_pid = ngx_getpid();
    ngx_use_stderr = 0;
    ngx_max_sockets = -1;

    ngx_pagesize = getpagesize();
    ngx_cacheline_size = 64;
    ngx_ncpu = 1;

    for (ngx_pagesize_shift = 0;
         ngx_pagesize >> (ngx_pagesize_shift + 1);
         ngx_pagesize_shift++)
    {
        /* void */
    }

    fuzz_log_file.fd = ngx_stderr;
    fuzz_log.file = &fuzz_log_file;
    fuzz_log.writer = fuzz_log_writer;
    fuzz_log.log_level = NGX_LOG_INFO;

    fuzz_init_cycle.log = &fuzz_log;
    ngx_cycle = &fuzz_init_cycle;

    ngx_time_init();
    ngx_regex_init();

    if (ngx_strerror_init() != NGX_OK
        || ngx_crc32_table_init() != NGX_OK)
    {
        abort();
    }

    ngx_slab_sizes_init();

    if (ngx_preinit_modules() != NGX_OK
        || ngx_event_timer_init(&fuzz_log) != NGX_OK)
    {
        abort();
    }

    ngx_queue_init(&ngx_posted_events);
    ngx_queue_init(&ngx_posted_next_events);
}


/*
 * Reads a configuration with the given modules, in a cycle of its own; returns
 * NULL if it is rejected.  The pool must be destroyed in any case.
 */

static ngx_cycle_t *
fuzz_conf(ngx_module_t **modules, ngx_pool_t **pp, u_char *text, size_t len)
{
    char             *rv;
    ngx_buf_t         b;
    ngx_conf_t        conf;
    ngx_pool_t       *pool;
    ngx_cycle_t      *cycle;
    ngx_conf_file_t   file;

    pool = ngx_create_pool(NGX_CYCLE_POOL_SIZE, &fuzz_log);
    *pp = pool;

    cycle = ngx_pcalloc(pool, sizeof(ngx_cycle_t));

    cycle->pool = pool;
    cycle->log = &fuzz_log;
    cycle->new_log = fuzz_log;
    cycle->old_cycle = &fuzz_init_cycle;
    cycle->modules = modules;

    cycle->conf_prefix = fuzz_include;
    cycle->prefix = fuzz_include;
    ngx_str_set(&cycle->conf_file, "fuzz.conf");
    ngx_str_set(&cycle->hostname, "fuzz");

    if (ngx_array_init(&cycle->paths, pool, 10, sizeof(ngx_path_t *)) != NGX_OK
        || ngx_array_init(&cycle->config_dump, pool, 1,
                          sizeof(ngx_conf_dump_t))
           != NGX_OK
        || ngx_list_init(&cycle->open_files, pool, 20,
                         sizeof(ngx_open_file_t))
           != NGX_OK
        || ngx_list_init(&cycle->shared_memory, pool, 1,
                         sizeof(ngx_shm_zone_t))
           != NGX_OK
        || ngx_array_init(&cycle->listening, pool, 10,
                          sizeof(ngx_listening_t))
           != NGX_OK)
    {
        abort();
    }

    ngx_rbtree_init(&cycle->config_dump_rbtree, &cycle->config_dump_sentinel,
                    ngx_str_rbtree_insert_value);

    ngx_queue_init(&cycle->reusable_connections_queue);

    for (cycle->modules_n = 0; modules[cycle->modules_n]; ) {
        cycle->modules_n++;
    }

    cycle->conf_ctx = ngx_pcalloc(pool, ngx_max_module * sizeof(void *));

    ngx_memzero(&conf, sizeof(ngx_conf_t));

    conf.args = ngx_array_create(pool, 10, sizeof(ngx_str_t));
    conf.temp_pool = ngx_create_pool(NGX_CYCLE_POOL_SIZE, &fuzz_log);
    conf.ctx = cycle->conf_ctx;
    conf.cycle = cycle;
    conf.pool = pool;
    conf.log = &fuzz_log;
    conf.module_type = NGX_CORE_MODULE;
    conf.cmd_type = NGX_MAIN_CONF;

    /*
     * A file with its complete text in the buffer: nginx treats it as the
     * inside of a block, so a "}" must follow.
     */

    ngx_memzero(&file, sizeof(ngx_conf_file_t));
    ngx_memzero(&b, sizeof(ngx_buf_t));

    b.start = ngx_palloc(pool, len + 1);
    b.pos = b.start;
    b.last = ngx_cpymem(b.start, text, len);
    *b.last++ = '}';
    b.end = b.last;
    b.temporary = 1;

    file.buffer = &b;
    file.file.fd = ngx_stderr;
    file.file.log = &fuzz_log;
    file.line = 1;
    ngx_str_set(&file.file.name, "fuzz.conf");

    conf.conf_file = &file;

    rv = ngx_conf_parse(&conf, NULL);

    ngx_destroy_pool(conf.temp_pool);

    return (rv == NGX_CONF_OK) ? cycle : NULL;
}


/* the main configuration of an HTTP module */

static inline void *
fuzz_main_conf(ngx_cycle_t *cycle, ngx_module_t *module)
{
    ngx_http_conf_ctx_t  *ctx;

    ctx = (ngx_http_conf_ctx_t *) cycle->conf_ctx[ngx_http_module.index];

    return ctx->main_conf[module->ctx_index];
}


#endif /* _FUZZ_NGX_H_INCLUDED_ */
