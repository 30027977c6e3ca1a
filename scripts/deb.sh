#!/usr/bin/env bash
# Builds the package for servers, without the demo's parts: target/debian/hookbridge_VERSION_ARCH.deb
set -euo pipefail
cd "$(dirname "$0")/.."
cargo=${CARGO:-cargo}
tools=$PWD/.work/tools
say() { printf '\033[36m[deb]\033[0m %s\n' "$*"; }

deb=3.8.0
if [ "$("$tools/bin/cargo-deb" --version 2>/dev/null)" != "$deb" ]; then
  say "installing cargo-deb $deb into .work/tools (some minutes, once)"
  "$cargo" install cargo-deb --version "$deb" --locked --quiet --root "$tools"
fi

say "building the program"
"$cargo" build --release --locked --no-default-features
program=target/release/hookbridge
version=$("$program" --version | cut -d' ' -f2)

say "manual pages, completions, the stub's archive"
stage=target/package
rm -rf "$stage" && mkdir -p "$stage/man" "$stage/scripts"
"$program" complete --man "$stage/man"
gzip -9n "$stage"/man/*.1
"$program" complete bash > "$stage/hookbridge.bash"
"$program" complete zsh > "$stage/_hookbridge"
"$program" complete fish > "$stage/hookbridge.fish"
for script in preinst postinst postrm; do
  sed "s/@VERSION@/$version/g" "packaging/debian/$script" > "$stage/scripts/$script"
done
rm -f "target/debian/hookbridge-stub-$version.zip"
mkdir -p target/debian
(cd php-hooks && find . -type f ! -name config.php | LC_ALL=C sort | zip -qX "../target/debian/hookbridge-stub-$version.zip" -@)

say "the package"
PATH="$tools/bin:$PATH" "$cargo" deb --no-build --no-strip --maintainer "hookbridge" --output target/debian/
ls -l target/debian/*.deb target/debian/*.zip
