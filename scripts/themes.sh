#!/usr/bin/env bash
# Renders the page on which a plan was chosen of the platform's own themes, of old and new versions, with what the stub returns for a
# refused upgrade: is the reason seen, and do the forms lead on? Outside of CI: it fetches the public themes and Smarty.
#   scripts/themes.sh [FOLDER]    FOLDER holds clones named templates-six, templates-twenty-one, templates-nexus; without it they are cloned
set -euo pipefail
cd "$(dirname "$0")/.."
die() { printf '[themes] %s\n' "$*" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
clones=${1:-$work/clones}
SIX='v7.10.3-release.1 v8.0.4-release.1 v8.6.1-release.1 v8.13.1-release.1 v9.0.1-release.1 v9.0.5-release.1'
NEXUS='v9.0.1-release.1 v9.0.5-release.1'
TWENTY_ONE='v8.1.0-release.1 v8.6.1-release.1 v8.13.1-release.1 v9.0.1-release.1 v9.0.4-release.1'
for theme in six twenty-one nexus; do
  [ -d "$clones/templates-$theme" ] || git clone -q "https://github.com/WHMCS/templates-$theme" "$clones/templates-$theme" ||
    die "the theme $theme cannot be had: clone it, and name the folder"
done
# The platform has Smarty 3 up to 8.x and 4 in 9.0: Debian's packages of both, unpacked.
(cd "$work" && apt-get download smarty3 smarty4 >/dev/null 2>&1) || die "Debian's packages smarty3 and smarty4 cannot be had"
for deb in "$work"/smarty*.deb; do dpkg -x "$deb" "$work/lib"; done
for smarty in 3 4; do
  words=()
  for theme in six twenty-one nexus; do
    case $theme in six) tags=$SIX ;; twenty-one) tags=$TWENTY_ONE ;; nexus) tags=$NEXUS ;; esac
    for tag in $tags; do
      case $smarty$tag in 3v9* | 4v[78]*) continue ;; esac
      mkdir -p "$work/$theme-$tag"
      git -C "$clones/templates-$theme" archive "$tag" upgradesummary.tpl includes | tar x -C "$work/$theme-$tag"
      words+=("$theme=$work/$theme-$tag@$tag")
    done
  done
  php tests/php/themes.php "$work/lib/usr/share/php/smarty$smarty/Smarty.class.php" "${words[@]}"
done
