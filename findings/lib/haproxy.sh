# Unpacks HAProxy 2.6.12, and does what debian.sh does.

packages="haproxy=2.6.12-1+deb12u4 libopentracing1=1.6.0-4
          libopentracing-c-wrapper0=1.1.3-3+b1"

. "$(dirname "$0")/lib/debian.sh"
