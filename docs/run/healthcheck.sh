#!/bin/sh
# Runs the alarm and tells a dead man's switch: PING_URL alone on 0, /fail with what was said on everything else.
# When it hears nothing, this did not run, and that is an alarm too.
#   PING_URL=https://hc-ping.com/UUID healthcheck.sh --max-age 26h /var/lib/lakehouse/validator/
set -u
said=$(mktemp) || exit 2
trap 'rm -f "$said"' EXIT
lakelog alarm "$@" >"$said" 2>&1
code=$?
[ "$code" -eq 0 ] && url=$PING_URL || url=$PING_URL/fail
# The rows name people: only how it ended leaves this machine.
curl --silent --show-error --fail --max-time 10 --retry 3 --data "lakelog alarm ended with $code" "$url" >/dev/null ||
  echo "healthcheck.sh: $url did not answer" >&2
cat "$said"
exit "$code"
