#!/bin/sh
#
# boto3 1.26.27 (Debian 12): DynamoDB's error, and a problem document in its place.
#
# Expected: another body loses the code at most, as in the SDK for JavaScript.
# Seen:     DynamoDB sends x-amz-crc32, and this SDK checks it for errors, too.  If the field stays with another body, a
#           402 is ten requests and a ChecksumError, so that its status is lost; in the mode "standard" it is three and
#           "402".  Without the field it is one request.  The code is lost in any case: "code" of a problem is not read.
#           A 429 that is no throttle is ten requests in the default mode, one in the other.
#
# Who replaces a body has to remove the checksum of the vendor as well as Content-MD5 and Digest.

set -eu

packages="python3-boto3=1.26.27+dfsg-1 python3-botocore=1.29.27+repack-1
          python3-s3transfer=0.6.0-1 python3-jmespath=1.0.1-1
          python3-dateutil=2.8.2-2 python3-urllib3=1.26.12-1+deb12u4
          python3-six=1.16.0-4 python3-requests=2.28.1+dfsg-1
          python3-chardet=5.1.0+dfsg-2 python3-idna=3.3-1+deb12u1
          python3-certifi=2022.9.24-1"

. "$(dirname "$0")/lib/debian.sh"

cat > "$dir/run.py" <<'EOF'
import http.server, json, os, sys, threading, time, zlib
sys.path.insert(0, sys.argv[1] + '/usr/lib/python3/dist-packages')
os.environ['AWS_EC2_METADATA_DISABLED'] = 'true'
import boto3, botocore.config

# the client's pauses are left out

time.sleep = lambda s: None

class Vendor(http.server.BaseHTTPRequestHandler):
    protocol_version = 'HTTP/1.1'

    def do_POST(self):
        global requests
        self.rfile.read(int(self.headers['content-length']))
        requests += 1
        status, body, crc = reply
        self.send_response(status)
        self.send_header('Content-Length', str(len(body)))
        if crc:
            self.send_header('x-amz-crc32', str(zlib.crc32(vendor)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass

server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), Vendor)
server.daemon_threads = True
threading.Thread(target=server.serve_forever, daemon=True).start()

vendor = json.dumps({'__type': 'x#ValidationException', 'message': 'no'}).encode()
problem = json.dumps({'type': 'about:blank', 'title': 'Payment Required', 'status': 402, 'detail': 'no',
                      'code': 'ValidationException'}).encode()

for name, *reply in [('402', 402, vendor, True), ('402, problem with the field', 402, problem, True),
                     ('402, problem', 402, problem, False), ('429', 429, vendor, True)]:
    for mode in 'legacy', 'standard':
        config = botocore.config.Config(**({} if mode == 'legacy' else {'retries': {'mode': mode}}))
        client = boto3.client('dynamodb', endpoint_url='http://127.0.0.1:%d' % server.server_port,
                              region_name='us-east-1', aws_access_key_id='a', aws_secret_access_key='b',
                              config=config)
        requests = 0
        try:
            client.get_item(TableName='orders', Key={'k': {'S': '1'}})
            error = 'none'
        except botocore.exceptions.ClientError as e:
            error = e.response['Error']['Code']
        except botocore.exceptions.ChecksumError as e:
            error = 'ChecksumError'
        print('%s, %s|%d %s' % (name, mode, requests, error))
EOF
unset AWS_PROFILE AWS_CONFIG_FILE AWS_RETRY_MODE AWS_MAX_ATTEMPTS 2> /dev/null || :
HOME=$dir python3 -S -W ignore "$dir/run.py" "$dir" > "$dir/out" || bad=1
seen() { sed -n "s/^$1|//p" "$dir/out"; }

see 'default, 402'                     "$(seen '402, legacy')"   '1 ValidationException'
see '... problem, the field stays'     "$(seen '402, problem with the field, legacy')" '10 ChecksumError'
see '... problem, the field is gone'   "$(seen '402, problem, legacy')"   '1 402'
see '... 429'                          "$(seen '429, legacy')"   '10 ValidationException'
see 'standard, 402'                    "$(seen '402, standard')" '1 ValidationException'
see '... problem, the field stays'     "$(seen '402, problem with the field, standard')" '3 402'
see '... problem, the field is gone'   "$(seen '402, problem, standard')" '1 402'
see '... 429'                          "$(seen '429, standard')" '1 ValidationException'

exit $bad
