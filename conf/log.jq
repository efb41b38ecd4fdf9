# Which vendor broke, who was affected, and what did the vendor call it?  Reads
# the log of log.conf:
#
#     grep '"time":"2026-11-28T14:05' error_map.log | jq -rsf log.jq
#
# A line for each error and each reason, the most frequent first, separated by
# tabs: responses, clients, vendor, code or reason (or all codes, if a retry has
# helped), class, paths, and of the last one the title, the vendor's message and
# its request id.

map(select(.error_map_document != "" and .error_map_dry_run == 0)
    | .what = if .error_map_verdict == "success"
              then .error_map_upstream_codes
              elif .error_map_code != "" then .error_map_code
              else .error_map_verdict + " " + .error_map_reason end
    | select(.error_map_verdict != "success" or (.what | test("[,:]"))))
| group_by([.error_map_document, .what])
| map([length, (map(.remote_addr) | unique | length), .[0].error_map_document,
       .[0].what, .[0].error_map_class,
       (map(.path) | unique | .[:5] | join(" ")),
       (.[-1] | .error_map_title, .error_map_message, .error_map_request_id)])
| sort_by(-.[0])[] | @tsv
