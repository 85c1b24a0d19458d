# Starts `vllm serve` on each GPU of this machine, waits until all of them answer, and says in PAGEWHEEL_SERVERS where they are.
# They end with the shell that read this file:
#
#     source recipes/run/serve.sh MODEL [flags of vllm serve]
#     python -m recipes label input=DIR model=MODEL
#
# `make recipe=label … on=slurm workers=N` has each of N jobs do so beside its workers. PAGEWHEEL_PORT is the first port (8000),
# PAGEWHEEL_SERVE_S the seconds that a server may take to load (1800). Their output is in serve-PORT.log, in TMPDIR.

_model=$1
shift
_pids=() _servers=() _first=${PAGEWHEEL_PORT:-8000}
trap 'kill "${_pids[@]}" 2>/dev/null; wait "${_pids[@]}" 2>/dev/null' EXIT
if [ -n "${CUDA_VISIBLE_DEVICES+set}" ]; then
    IFS=, read -ra _gpus <<< "$CUDA_VISIBLE_DEVICES"
else
    mapfile -t _gpus < <(nvidia-smi --query-gpu=index --format=csv,noheader)
fi
for _gpu in "${_gpus[@]}"; do
    _port=$((_first + ${#_pids[@]}))
    CUDA_VISIBLE_DEVICES=$_gpu vllm serve "$_model" --host 127.0.0.1 --port "$_port" "$@" > "${TMPDIR:-/tmp}/serve-$_port.log" 2>&1 &
    _pids+=($!)
    _servers+=("http://127.0.0.1:$_port/v1")
done
_end=$((SECONDS + ${PAGEWHEEL_SERVE_S:-1800}))
for _n in "${!_pids[@]}"; do
    until curl --silent --fail --output /dev/null "${_servers[_n]%/v1}/health"; do
        if ! kill -0 "${_pids[_n]}" 2>/dev/null || [ "$SECONDS" -gt "$_end" ]; then
            echo "serve.sh: vllm doesn't answer at ${_servers[_n]}: see ${TMPDIR:-/tmp}/serve-$((_first + _n)).log" >&2
            exit 1
        fi
        sleep 0.5
    done
done
PAGEWHEEL_SERVERS=$(IFS=,; echo "${_servers[*]}")
export PAGEWHEEL_SERVERS
