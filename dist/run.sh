#!/bin/sh
# Starts dep-preflight: on Linux (x86_64, aarch64) the program beside this file, on other systems
# one that cargo builds from the sources around this file, kept for the next step.
#
# POSIX sh, and uname; more only where the program has to be copied or built. Arguments and
# environment are passed on. The exit code is the program's, or 69 where none can be had.
set -u

system=$(uname -s)
machine=$(uname -m)

say() {
  # A line that starts with :: would be a command to the runner; none of ours does.
  printf 'dep-preflight: %s\n' "$*"
}

# give_up MESSAGE: later steps read from the outputs what happened, as after any other error.
give_up() {
  say "$*"
  [ -z "${GITHUB_OUTPUT:-}" ] ||
    printf '%s\n' 'result=error' 'exit-code=69' "message=$*" >>"$GITHUB_OUTPUT"
  # Some runners lose the last line before a failure, where they gave the step a terminal.
  [ -z "${CI:-}" ] || [ ! -t 1 ] || sleep 1
  exit 69
}

# start PROGRAM ARGUMENT...: becomes the program, so that it has this process's signals and exit
# code. Nothing is left then that could tell of a program that is killed or aborts, so what later
# steps would read in that case is written before; the program's own outputs come after it, and
# for every runner the last one counts. As a command of a person (with arguments) it may be one
# that has no outputs at all.
start() {
  # A file that may not grow (`ulimit -f`) is to be an error of the write, here and in the program,
  # and not the end of either. Not every shell knows the signal; and an empty root has no /dev/null.
  trap '' XFSZ 2>&- || :
  if [ "$#" = 1 ] && [ -f "${GITHUB_OUTPUT:-}" ]; then
    presume_dead 2>&- || :
  fi
  exec "$@"
}

presume_dead() {
  # An earlier command of the step may have left a line without its end. A blank line is an error
  # for some runners, so this looks.
  last=
  while IFS= read -r last; do last=; done <"$GITHUB_OUTPUT"
  {
    [ -z "$last" ] || echo
    printf '%s\n' 'result=error' 'exit-code=1' \
      'message=dep-preflight ended before it could report anything: it was killed, or it crashed. The log may say more; this says nothing about any dependency.'
  } >>"$GITHUB_OUTPUT"
}

# private_folder: makes one that programs can be run from, and prints its path. mkdir fails where
# the name is taken: nobody else can have laid something ready there.
private_folder() {
  for base in "${RUNNER_TEMP:-}" "${TMPDIR:-}" /tmp "${HOME:-}"; do
    [ -d "$base" ] || continue
    count=0
    while [ "$count" -lt 100 ]; do
      count=$((count + 1))
      folder=$base/dep-preflight.$$.$count
      if (umask 077 && mkdir "$folder") 2>/dev/null; then
        : >"$folder/probe"
        chmod 700 "$folder/probe"
        if [ -x "$folder/probe" ]; then
          rm "$folder/probe"
          printf '%s\n' "$folder"
          return
        fi
        rm -rf "$folder"
        break
      fi
    done
  done
  return 1
}

# start_copy PROGRAM ARGUMENT...: for a program that may not be run where it is, because its run
# bit is lost, or nothing may be run from that file system.
start_copy() {
  program=$1
  shift
  folder=$(private_folder) || give_up "$program may not be run, and there is no folder to run a copy from"
  if cp "$program" "$folder/dep-preflight" && chmod 700 "$folder/dep-preflight"; then
    start "$folder/dep-preflight" "$@"
  fi
  give_up "$program may not be run, and could not be copied to $folder"
}

# store: prints the folder where built programs are kept from step to step; it is the user's own.
store() {
  for base in "${RUNNER_TOOL_CACHE:-}" "${XDG_CACHE_HOME:-}" "${HOME:+$HOME/.cache}"; do
    [ -n "$base" ] || continue
    (umask 077 && mkdir -p "$base/dep-preflight") 2>/dev/null || continue
    [ -w "$base/dep-preflight" ] || continue
    printf '%s\n' "$base/dep-preflight"
    return
  done
  return 1
}

# start_built ARGUMENT...: starts the program that was built from these very sources, or builds it.
start_built() {
  digest=$(sh "$here/../scripts/source-digest" 2>/dev/null) || digest=
  kept=$(store) || kept=
  if [ -n "$digest" ] && [ -n "$kept" ]; then
    kept=$kept/$digest-$system-$machine$exe
    [ ! -x "$kept" ] || start "$kept" "$@"
  else
    kept=
  fi

  # Not every shell that a runner starts has read a profile.
  PATH=$PATH:${CARGO_HOME:-${HOME:-}/.cargo}/bin
  command -v cargo >/dev/null 2>&1 ||
    give_up "there is no ready-made program for $system $machine (only for Linux x86_64 and Linux aarch64), and no cargo to build it. Install Rust before this step (https://rustup.rs), or run the job on Linux."
  say "there is no ready-made program for $system $machine. cargo builds it from the sources now; this takes some minutes."
  folder=$(private_folder) || give_up "there is no folder to build the program in"
  build "$folder/target" ||
    give_up "cargo could not build the program for $system $machine; what it said is above. The job can run on Linux (x86_64, aarch64), where nothing is built."

  program=$folder/dep-preflight$exe
  for built in "$folder/target/release/dep-preflight$exe" "$folder"/target/*/release/"dep-preflight$exe"; do
    [ -f "$built" ] && mv "$built" "$program" && break
  done
  rm -rf "$folder/target"
  [ -x "$program" ] || give_up "cargo built the program for $system $machine, but not where it was told to"

  # By mv, so that another step sees all of it or nothing.
  if [ -n "$kept" ] && cp "$program" "$kept.$$" && mv "$kept.$$" "$kept"; then
    rm -rf "$folder"
    say "built, and kept as $kept."
    program=$kept
  fi
  start "$program" "$@"
}

# build FOLDER: in a shell of its own, because rust-toolchain.toml is looked up from the folder
# that cargo is called in.
build() (
  CDPATH='' cd -- "$here/.." || exit 1
  export CARGO_TARGET_DIR="$1"
  # Jobs that are strict about their own code set `-D warnings` for all of Rust.
  [ -z "${RUSTFLAGS:-}" ] || export RUSTFLAGS="$RUSTFLAGS --cap-lints=warn"
  cargo build --release --locked --quiet --bin dep-preflight
)

here=$0
exe=
case $system in
  MINGW* | MSYS* | CYGWIN* | Windows*)
    # Git's sh is given D:\a\_actions/.../dist/run.sh.
    here=$(printf '%s\n' "$here" | tr '\134' /)
    exe=.exe
    ;;
esac
case $here in
  */*) here=${here%/*} ;;
  *) here=. ;;
esac

case $system-$machine in
  Linux-x86_64 | Linux-amd64) program=$here/dep-preflight-linux-x86_64 ;;
  Linux-aarch64 | Linux-arm64) program=$here/dep-preflight-linux-aarch64 ;;
  *) program= ;;
esac
if [ ! -f "$program" ]; then
  start_built "$@"
elif [ -x "$program" ]; then
  start "$program" "$@"
else
  start_copy "$program" "$@"
fi
