# Installs $packages from npm into a temporary folder, which is the current one
# from then on and has ask.mjs, too.  The script that includes this file is run
# as findings/NAME.sh.

lib=$(cd "$(dirname "$0")/lib" && pwd)
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
cp "$lib/ask.mjs" .
echo "{}" > package.json
npm install --silent --no-audit --no-fund --ignore-scripts $packages \
    > npm.log 2>&1 || { cat npm.log; exit 1; }
echo $packages, "node $(node --version)"
