
# The rules that make the tables' sources, and the list of the documents.

em_dir=$NGX_OBJS/error_map
em_check=$ngx_addon_dir/ngx_module/document/em_check.awk
em_documents=$(cd $ngx_addon_dir/tables && LC_ALL=C ls *.gperf | sed 's/\.gperf$//')

mkdir -p $em_dir

{
    echo '#include "em_document.h"'
    echo

    for em_document in $em_documents; do
        echo "extern const em_document_t  em_document_$em_document;"
    done

    echo
    echo 'const em_document_t *const  em_documents[] = {'

    for em_document in $em_documents; do
        echo "    &em_document_$em_document,"
    done

    echo '    NULL'
    echo '};'
} > $em_dir/em_documents.c

# A jump of 1 takes gperf about as long as its own 5, and makes smaller tables.

for em_document in $em_documents; do
    em_table=$ngx_addon_dir/tables/$em_document.gperf

    cat << END >> $NGX_MAKEFILE

$em_dir/$em_document.c:	$em_table $em_check
	LC_ALL=C awk -f $em_check $em_table
	gperf --jump=1 --output-file=$em_dir/$em_document.c $em_table

END
done
