# Step python: .venv with the packages of requirements.lock and labctl itself.
# shellcheck shell=bash

STAMP=.venv/.installed

# What the virtual environment was made from: lock file, project file, place, interpreter.
python_wanted() {
  checksum requirements.lock pyproject.toml
  pwd
  .venv/bin/python -I -S -c 'import sys; print(sys.version)' 2>/dev/null || true
}

find_python() {
  local name
  for name in python3 python3.14 python3.13 python3.12 python3.11; do
    if has "$name" && "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$name"
      return
    fi
  done
}

# Whether the virtual environment is one that only lacks what is new in the lock file.
venv_fits() {
  [ -f "$STAMP" ] && [ -x .venv/bin/python ] &&
    [ "$(tail -n +3 "$STAMP")" = "$(python_wanted | tail -n +3)" ]
}

make_venv() {
  local python
  python="$(find_python)"
  if [ -z "$python" ] && ! has python3 && may_install; then
    apt_install python3 python3-venv
    python="$(find_python)"
  fi
  if [ -z "$python" ]; then
    fail "no Python 3.11 or newer on the PATH ($(python3 --version 2>&1 || true))" \
      "install python3.11 or newer, with its venv module, and put it on the PATH"
  fi
  if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    may_install || fail "$python has no venv module" "as root: apt-get install python3-venv"
    apt_install "$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')"
  fi
  say "Making .venv with $("$python" --version)"
  rm -rf .venv
  "$python" -m venv .venv
}

setup_python() {
  if [ -f "$STAMP" ] && [ "$(cat "$STAMP")" = "$(python_wanted)" ]; then return; fi
  venv_fits || make_venv
  rm -f "$STAMP"
  say "Installing into .venv: $(grep -c '==' requirements.lock) packages of requirements.lock"
  .venv/bin/python -m pip --disable-pip-version-check install --quiet \
    --require-hashes --requirement requirements.lock ||
    fail "pip could not install the packages of requirements.lock" \
      "does pip reach its package index (\`pip config list\`)? then run this again"
  .venv/bin/python -m pip --disable-pip-version-check install --quiet \
    --no-deps --no-build-isolation --editable . ||
    fail "labctl itself could not be installed into .venv" \
      "run \`.venv/bin/pip install --no-deps --no-build-isolation -e .\` to see why"
  # Also where Python is told to write no bytecode of what it imports: labctl starts twice as fast.
  .venv/bin/python -m compileall -q labctl || true
  python_wanted >"$STAMP"
}
