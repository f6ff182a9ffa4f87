# Sourced by deploy/demo.sh: a node that nobody can dial, and the two relays by which all reach it.
# shellcheck shell=bash disable=SC2154  # what demo.sh has set
#
# In network namespaces of its own (as root, or where the kernel lets users have them): this shell
# stands on the Internet with two addresses; the node stands behind a router that masquerades and
# lets nothing in. Without namespaces the node is on loopback like the others, and what it tells
# them is an address at which it does not listen: it is reached through relays just the same, and
# only that a router keeps others out is not shown.

hosts=(127.0.0.1 127.0.0.2)  # of the two relays; the other nodes live at the first one
router=198.51.100.101
home=127.0.0.3
at_home=()
no_network='' from_outside=''
networks=(unshare --net --mount)
test "$(id -u)" -eq 0 || networks+=(--map-root-user)

# Why there cannot be a network of our own; nothing if there can.
why_no_network() {
  local tool said
  for tool in unshare nsenter ip nft; do
    type "$tool" >/dev/null 2>&1 || { echo "no $tool; deploy/install-packages.sh test" && return; }
  done
  said=$("${networks[@]}" sh -c 'mount -t tmpfs tmpfs /run && ip link add x type veth peer name y &&
    nft add table ip riftbus' 2>&1) || echo "this machine refuses: ${said##*: }"
}

# A router between us and the namespace `home`.
lay_network() {
  hosts=(198.51.100.1 198.51.100.2) home=10.1.0.2 at_home=(nsenter --net=/run/netns/home)
  from_outside="nsenter -t $$ -n "
  grep -q ' 1$' /proc/self/uid_map && from_outside+='-U --preserve-credentials '
  mount -t tmpfs tmpfs /run
  ip netns add router
  ip netns add home
  ip link add public type veth peer name wan0 netns router
  ip link add lan0 netns router type veth peer name eth0 netns home
  ip addr add "${hosts[0]}/24" dev public
  ip addr add "${hosts[1]}/24" dev public
  ip -n router addr add "$router/24" dev wan0
  ip -n router addr add 10.1.0.1/24 dev lan0
  ip -n home addr add "$home/24" dev eth0
  ip link set lo up && ip link set public up
  ip -n router link set wan0 up && ip -n router link set lan0 up
  ip -n home link set lo up && ip -n home link set eth0 up
  ip -n home route add default via 10.1.0.1
  nsenter --net=/run/netns/router sh -c 'echo 1 >/proc/sys/net/ipv4/ip_forward'
  nsenter --net=/run/netns/router nft -f - <<'END'
table ip nat {
  chain post { type nat hook postrouting priority 100; oifname "wan0" masquerade; }
}
table ip flt {
  chain forw { type filter hook forward priority 0; policy drop;
    iifname "lan0" accept
    iifname "wan0" ct state established,related accept
  }
  chain inpt { type filter hook input priority 0; policy accept; iifname "wan0" ct state new drop; }
}
END
}

# Runs the rest of its words where a node is.
at() {
  local name=$1
  shift
  if test "$name" = "$blocked"; then "${at_home[@]}" "$@"; else "$@"; fi
}

# Where each node is, who is blocked, and who has a relay.
place_nodes() {
  local file=$dir/demo/cluster.yaml second=${hosts[0]}
  blocked_port=$((port + 10 * nodes))
  relay_port=$((blocked_port + 10))
  # On loopback nodes listen at 127.0.0.1 only.
  test ${#at_home[@]} -eq 0 || second=${hosts[1]}
  sed -i -e "s/127\.0\.0\.1/${hosts[0]}/" -e "/^ *n2:/,/^ *n3:/s/${hosts[0]}/$second/" \
    -e "/^ *$blocked:/,\$s/${hosts[0]}/$home/" \
    -e "s/^\( *\)$blocked:.*/&\n\1  nat_blocked: true\n\1  tags: {behind_nat: true}/" \
    -e "s|^\( *\)\(n[12]\):.*|&\n\1  relay: {status_file: \"$dir/demo/relay-\2/relay.json\"}|" \
    "$file"
  printf 'relays: [n1, n2]\nrelay: {ssh_port: %s, front_port: %s}\n' \
    "$relay_port" $((relay_port + 1)) >>"$file"
}

relay_options() {
  echo --node-id "$1" --data-dir "$dir/demo/relay-$1" --relay-socket-dir "$sockets/$1" \
    --relay-status-file "$dir/demo/relay-$1/relay.json" \
    --relay-ssh-host "$2" --relay-front-host "$2" \
    --relay-ssh-port "$relay_port" --relay-front-port $((relay_port + 1))
}

tunnel() {
  local number=$1 pin
  shift
  # shellcheck disable=SC2046
  pin=$("$programs/riftbus-relay" $(relay_options "n$number" "${hosts[number - 1]}") --show-pin)
  exec "${at_home[@]}" "$programs/riftbus-tunnel" --node-id "$blocked" \
    --data-dir "$dir/demo/$blocked" --tunnel-status-file "$dir/demo/$blocked/tunnel-n$number.json" \
    --tunnel-servers "${hosts[number - 1]}:$relay_port#$pin" \
    -R "7770:127.0.0.1:$blocked_port" -R "7771:127.0.0.1:$((blocked_port + 1))" "$@"
}

start_relay() {
  # shellcheck disable=SC2046
  setsid "$programs/riftbus-relay" $(relay_options "n$1" "${hosts[$1 - 1]}") \
    </dev/null >>"$dir/relay-n$1.log" 2>&1 &
  pids[relay-n$1]=$!
}

start_relays() {
  local number
  for number in 1 2; do
    mkdir -m 700 "$dir/demo/relay-n$number"
    (tunnel "$number" --show-key) >"$dir/demo/relay-n$number/relay_keys"
    start_relay "$number"
    tunnel "$number" </dev/null >>"$dir/tunnel-n$number.log" 2>&1 &
    pids[tunnel-n$number]=$!
  done
}

can_dial() { timeout 2 bash -c ": <'/dev/tcp/$1/$2'" 2>/dev/null; }

# The address of the relay by which n3 reaches it, once it does through one of $@.
wait_way() {
  local deadline=$((SECONDS + 30)) way relay
  while ((SECONDS < deadline)); do
    if ask link ping "$blocked" --node n3 -c 1 --timeout 1 >"$dir/ping.log" 2>&1; then
      way=$(ask link list --node n3 | sed -n "s/^$blocked .* \(.*\):[0-9]*$/\1/p")
      for relay; do
        test "$way" != "$relay" || { echo "$way" && return; }
      done
    fi
    sleep 0.1
  done
  fail "n3 did not reach $blocked through $* within 30 s: $(cat "$dir/ping.log")"
}

show_blocked() {
  say "$blocked, whom nobody can dial"
  if test ${#at_home[@]} -gt 0; then
    at "$blocked" bash -c ": <'/dev/tcp/127.0.0.1/$blocked_port'" || fail "it does not listen"
    ! can_dial "$home" "$blocked_port" || fail "$home:$blocked_port can be dialled from outside"
    ! can_dial "$router" "$blocked_port" || fail "$router:$blocked_port leads to $blocked"
    echo "it listens at home; neither $home:$blocked_port nor its router's $router answers"
  else
    ! can_dial "$home" "$blocked_port" || fail "$home:$blocked_port is somebody"
    echo "not shown: a router that lets nothing in ($no_network);"
    echo "$blocked listens at 127.0.0.1 and tells the others $home instead"
  fi
  echo "n3 reaches it through the relay at $(wait_way "${hosts[@]}")"
  ask link ping "$blocked" --node n3 -c 2
}

# One item that only the blocked node may run; meanwhile the relay by which n3 reaches it dies.
kill_home_relay() {
  local way number died started id adder
  say "a job on $blocked, and its home relay killed with -9"
  way=$(wait_way "${hosts[@]}")
  number=1
  test "$way" = "${hosts[0]}" || number=2
  died=$(deaths)
  "${client[@]}" work add pause --payload 6 --wait &
  adder=$!
  pids[adder]=$adder
  id=$(wait_pausing)
  kill -KILL -- "-${pids[relay-n$number]}"
  started=$(date +%s%N)
  wait "${pids[relay-n$number]}" 2>/dev/null || true
  wait_way "${hosts[2 - number]}" >"$dir/way.log"
  echo "the relay on n$number is dead; n3 reached $blocked through the other one after" \
    "$((($(date +%s%N) - started) / 1000000)) ms"
  wait "$adder" || fail "its job did not end well"
  unset 'pids[adder]'
  ask work show "$id"
  ask work history --lines 1 -o jsonl | grep -q '"failures":0,"losses":0,' ||
    fail "its job took more than one run"
  test "$(deaths)" = "$died" || fail "somebody was called dead: $(ask event list --node n1)"
  start_relay "$number"
  wait_whole
  echo "its job ended in its first run; nobody was called dead; n$number has a relay again"
}

deaths() {
  ask event list --lines 1000 --node n1 -o jsonl | grep -c '"kind":"died"' || true
}

# The job that runs on the blocked node.
wait_pausing() {
  local deadline=$((SECONDS + 30)) id
  while ((SECONDS < deadline)); do
    id=$(ask work list --kind pause --on "$blocked" -o jsonl | sed -n 's/^{"id":\([0-9]*\),.*/\1/p')
    test -z "$id" || { echo "$id" && return; }
    sleep 0.1
  done
  fail "$blocked did not begin its job within 30 s: $(ask work list)"
}
