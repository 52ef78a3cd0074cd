#!/usr/bin/env bash
# Builds the Dockerfile and runs the image as a container engine would: process 1 of its own process, network and
# mount namespaces, the image's user and environment only, a read-only root.
#
# No registry of images is needed: both bases are stood in for, by images made from this machine's Node and glibc and
# committed under the bases' names. The final stand-in has nothing but glibc, so that a library too many is noticed.
# `npm ci` is the real one. Everything lies in a temporary folder.
set -euo pipefail
cd "$(dirname "$0")/.."

started=$SECONDS
work=''
unshare_pid=''

skip() {
  echo "container check: skipped: $1"
  exit 0
}

fail() {
  echo "container check: failed: $1" >&2
  exit 1
}

end() {
  if [ -n "$unshare_pid" ]; then { kill -KILL "$unshare_pid" && wait "$unshare_pid"; } 2>/dev/null || true; fi
  if [ -n "$work" ]; then rm -rf "$work"; fi
}

require_tools() {
  [ "$(uname -s)" = Linux ] || skip 'it needs Linux; run it in a Linux machine or CI'
  [ "$(id -u)" = 0 ] || skip 'it needs root, for namespaces; run it as root'
  if ! { command -v buildah && command -v ip; } >/dev/null && command -v apt-get >/dev/null; then
    { apt-get update && apt-get install -y --no-install-recommends buildah iproute2; } >/dev/null 2>&1 || true
  fi
  local tool
  for tool in buildah ip node npm unshare nsenter chroot setpriv ldd; do
    command -v "$tool" >/dev/null || skip "$tool is missing; get it (Debian and Ubuntu: apt-get install buildah iproute2 util-linux nodejs npm)"
  done
  unshare --mount --net --pid --fork true 2>/dev/null || skip 'namespaces are not permitted here; run it outside a container, or in a privileged one'
}

image_tool() {
  buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"
}

npm_setting() {
  npm config get --loglevel=error "$1"
}

# Copies the libraries that programs load, by this machine's paths.
copy_libraries() {
  local root=$1 pattern=$2 libraries library
  shift 2
  libraries=$(ldd "$@" | grep -oE '/[^ ]+\.so[^ ]*' | grep -E "/($pattern)\.so" | sort -u)
  for library in $libraries; do cp --parents -L "$library" "$root"; done
  # Name resolution, which glibc loads at run time where it is older than 2.34.
  for library in "$(dirname "$(grep '/libc\.so' <<<"$libraries")")"/lib{nss_files,nss_dns,resolv}.so.2; do
    if [ -e "$library" ]; then cp --parents -L "$library" "$root"; fi
  done
}

create_root() {
  mkdir -p "$1"/{dev,proc,sys,etc,root,tmp,home/nonroot,usr/bin}
  chmod 1777 "$1/tmp"
  printf '%s\n' 'root:x:0:0:root:/root:/sbin/nologin' 'nonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin' >"$1/etc/passwd"
  printf '%s\n' 'root:x:0:' 'nonroot:x:65532:' >"$1/etc/group"
  echo 'hosts: files dns' >"$1/etc/nsswitch.conf"
}

# Commits a folder as an image: commit_image <name> <folder> [option of `buildah config`]…
commit_image() {
  local name=$1 root=$2 container
  shift 2
  container=$(image_tool from scratch)
  image_tool add --quiet "$container" "$root" / >/dev/null
  image_tool config "$@" "$container"
  image_tool commit --quiet "$container" "$name" >/dev/null
  image_tool rm "$container" >/dev/null
  rm -rf "$root"
}

# The base of the build stage: Node, npm, a shell, and the certificates and registry that npm uses here.
commit_build_base() {
  local root=$work/build-base node npm file
  node=$(node -p process.execPath)
  npm=$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")
  create_root "$root"
  mkdir -p "$root"/usr/local/{bin,lib/node_modules} "$root/bin"
  cp -L /bin/sh "$root/bin/sh"
  cp -L /usr/bin/env "$root/usr/bin/env"
  cp -L "$node" "$root/usr/local/bin/node"
  cp -r "$npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
  copy_libraries "$root" '[^/]+' "$node" /bin/sh /usr/bin/env
  local settings=(--env PATH=/usr/local/bin:/usr/bin:/bin --env "NPM_CONFIG_REGISTRY=$(npm_setting registry)")
  for file in "${NODE_EXTRA_CA_CERTS:-}" "$(npm_setting cafile)"; do
    if [ -f "$file" ]; then cp --parents -L "$file" "$root"; fi
  done
  if [ -f "${NODE_EXTRA_CA_CERTS:-}" ]; then settings+=(--env "NODE_EXTRA_CA_CERTS=$NODE_EXTRA_CA_CERTS"); fi
  file=$(npm_setting cafile)
  if [ -f "$file" ]; then settings+=(--env "NPM_CONFIG_CAFILE=$file"); fi
  commit_image "$1" "$root" "${settings[@]}"
}

# The base of the final stage: glibc, users and a /tmp, as in the distroless image.
commit_final_base() {
  local root=$work/final-base
  create_root "$root"
  copy_libraries "$root" 'ld-linux[^/]*|libc|libm|libdl|libpthread' "$(node -p process.execPath)"
  commit_image "$1" "$root" --env PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin --user 65532 --workingdir /home/nonroot
}

build_image() {
  local cache volumes userconfig
  cache=$(npm_setting cache)
  mkdir -p "$cache"
  volumes=(--volume "$cache:/root/.npm")
  # Mounted, not copied: it may hold credentials of a private registry.
  userconfig=$(npm_setting userconfig)
  if [ -f "$userconfig" ]; then volumes+=(--volume "$userconfig:/root/.npmrc:ro"); fi
  TMPDIR=$work image_tool build --format docker --pull-never --isolation chroot "${volumes[@]}" --tag nexcode .
}

# Prints a part of the image's configuration: read_config <Go template>
read_config() {
  image_tool inspect --type image --format "$1" nexcode
}

# Prints a list of the image's configuration, one item on each line: read_list <its place>
read_list() {
  read_config "{{range $1}}{{println .}}{{end}}" | grep .
}

expect() {
  [ "$2" = "$3" ] || fail "$1 is '$2', not '$3'"
}

# Becomes the image's program, with the arguments after the root: runs within new namespaces, as process 1.
enter_image() {
  local root=$1
  shift
  ip link set lo up
  mount --bind "$root" "$root"
  mount --bind /dev "$root/dev"
  mount -t proc proc "$root/proc"
  mount -o remount,bind,ro "$root"
  exec env -i "${image_env[@]}" setpriv --no-new-privs chroot --userspec="$image_user" --groups='' "$root" "${entrypoint[@]}" "$@"
}

# Runs the image in the background: run_image <file for its output> [argument]…
run_image() {
  local output=$1
  shift
  unshare --mount --net --pid --fork --kill-child bash -c "$(declare -p image_env image_user entrypoint); $(declare -f enter_image); enter_image \"\$@\"" \
    enter_image "$root" "$@" >"$output" 2>&1 &
  unshare_pid=$!
}

# Runs a program of the image in the container, as `docker exec` does.
run_inside() {
  env -i "${image_env[@]}" nsenter --target "$1" --mount --net --pid --root --wd \
    --setuid "${image_user%:*}" --setgid "${image_user#*:}" -- "${@:2}"
}

# Prints the status of a path of the server, asked from its network namespace.
fetch_status() {
  nsenter --target "$1" --net "$(command -v node)" -e \
    'fetch(process.argv[1]).then((answer) => console.log(answer.status), () => console.log("none"))' "http://127.0.0.1:8000$2"
}

check_configuration() {
  expect 'the user' "$image_user" 65532:65532
  expect 'the entrypoint' "${entrypoint[*]}" /nexcode
  expect 'the health check' "${health_check[*]}" 'CMD /nexcode healthcheck'
  expect 'the exposed port' "$(read_config '{{range $port, $_ := .Docker.Config.ExposedPorts}}{{$port}}{{end}}')" 8000/tcp
  local variable
  for variable in BUN_CONFIG_MAX_HTTP_REQUESTS=65535 NODE_ENV=production LOG_FORMAT=json; do
    printf '%s\n' "${image_env[@]}" | grep -qxF "$variable" || fail "the image's environment lacks $variable"
  done
}

check_demo() {
  run_image "$work/demo.log" demo --once
  wait "$unshare_pid" || fail "demo --once exited with $?: $(tail -5 "$work/demo.log")"
  unshare_pid=''
  grep -q 'simulated answer' "$work/demo.log" || fail "demo --once printed no answer: $(cat "$work/demo.log")"
}

check_server() {
  local process='' status=none code=0
  run_image "$work/server.log"
  for _ in $(seq 100); do
    kill -0 "$unshare_pid" 2>/dev/null || break
    # The list ends without a newline, at which `read` gives 1.
    read -r process _ <"/proc/$unshare_pid/task/$unshare_pid/children" || true
    # The first child may be a subshell of this script's, gone by now: `unshare` starts its own a moment later.
    if [ -n "$process" ]; then status=$(fetch_status "$process" /health 2>"$work/fetch.log") || status=none; fi
    if [ "$status" = 200 ]; then break; fi
    sleep 0.1
  done
  [ "$status" = 200 ] || fail "/health answers $status, not 200: $(tail -5 "$work/server.log" "$work/fetch.log" 2>&1)"

  expect 'the user that it runs as' "$(awk '/^Uid:/ { print $2, $3, $4, $5 }' "/proc/$process/status")" '65532 65532 65532 65532'
  expect 'the capabilities that it has' "$(awk '/^CapEff:/ { print $2 }' "/proc/$process/status")" 0000000000000000
  if nsenter --target "$process" --mount touch "$root/tmp/written" 2>/dev/null; then fail 'its root is not read-only'; fi
  run_inside "$process" "${health_check[@]:1}" || fail "the health check exited with $? while the server ran"

  kill -TERM "$process"
  wait "$unshare_pid" || code=$?
  unshare_pid=''
  [ "$code" = 0 ] || fail "after SIGTERM it exited with $code, not 0: $(tail -5 "$work/server.log")"
}

require_tools
trap end EXIT
work=$(mktemp -d)

mapfile -t bases < <(awk '$1 == "FROM" { print $2 }' Dockerfile)
[ "${#bases[@]}" = 2 ] || fail "the Dockerfile has ${#bases[@]} stages, not 2"
commit_build_base "${bases[0]}"
commit_final_base "${bases[1]}"
build_image >"$work/build.log" 2>&1 || fail "the build failed:
$(cat "$work/build.log")"
built=$((SECONDS - started))

mapfile -t image_env < <(read_list .Docker.Config.Env)
mapfile -t entrypoint < <(read_list .Docker.Config.Entrypoint)
mapfile -t health_check < <(read_list .Docker.Config.Healthcheck.Test)
image_user=$(read_config '{{.Docker.Config.User}}')
root=$(image_tool mount "$(image_tool from --pull-never nexcode)")
check_configuration
check_demo
check_server
echo "container check: ok ($(du -sm "$root" | cut -f1) MB with the stand-in base, built in $built s, $((SECONDS - started)) s in all)"
