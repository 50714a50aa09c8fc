# Looks and changes nothing. Read by /bin/sh from its input, as any user; what needs more rights says so in its section.
# Each section is cut short, and no command may read what follows or wait for long.
{
LC_ALL=C; LANGUAGE=C; export LC_ALL LANGUAGE
PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin; export PATH
at() { printf '\n%s %s\n' '@TOKEN@' "$1"; }
cap() { head -c 8192; }
has() { command -v "$1" >/dev/null; }
soon() { if has timeout; then timeout 10 "$@"; else "$@"; fi; }
first() { [ -r "$1" ] && head -c 256 "$1" | head -n 1; }

at system
echo "kernel=$(uname -sr)"
grep -E '^(NAME|VERSION_ID|PRETTY_NAME)=' /etc/os-release | cap

at platform
for name in sys_vendor product_name; do [ -r "/sys/class/dmi/id/$name" ] && echo "$name=$(first "/sys/class/dmi/id/$name")"; done
[ -d /sys/bus/vmbus ] && echo vmbus=yes
[ -d /sys/bus ] || echo sys=no
has sysctl && [ "$(uname -s)" = FreeBSD ] && echo "vm_guest=$(sysctl -n kern.vm_guest)"

at driver
[ -d /sys/module/hv_utils ] || [ -d /sys/bus/vmbus/drivers/hv_utils ] && echo hv_utils=yes
for node in /dev/vmbus/hv_kvp /dev/hv_kvp_dev; do [ -c "$node" ] && echo "device=$node"; done

at processes
if [ "$(uname -s)" = FreeBSD ]; then
  soon ps -axo comm= | grep -E '^(hv_kvp_daemon|hypervkvpd)$' | head -n 8 | sed 's/^/comm=/'
  echo list=read
elif [ -r /proc/1/comm ]; then
  for found in $(grep -l -x -E 'hv_kvp_daemon|hypervkvpd' /proc/[0-9]*/comm | head -n 8); do
    echo "comm=$(first "$found")"
    echo "line=$(tr '\000\n' '  ' <"${found%comm}cmdline" | head -c 256)"
  done
  echo list=read
fi

at programs
calls() { grep -a -o -E '[ -~]*(hv_set_ifconfig|%s %s)[ -~]*' "$1" | sort -u | head -n 8 | cut -c 1-200; }
release=$(uname -r)
for program in /usr/sbin/hypervkvpd /usr/sbin/hv_kvp_daemon /usr/bin/hv_kvp_daemon /usr/lib/hyper-v/bin/hv_kvp_daemon \
    "/usr/lib/linux-tools/$release/hv_kvp_daemon" "/usr/lib/linux-tools-$release/hv_kvp_daemon"; do
  [ -x "$program" ] || continue
  echo "program=$program"
  package=
  has dpkg-query && package=$(soon dpkg-query -S "$program" | head -n 1 | head -c 256)
  [ -z "$package" ] && has rpm && package=$(soon rpm -qf --qf '%{NAME} %{VERSION}-%{RELEASE}' "$program" | head -n 1 | head -c 256)
  [ -z "$package" ] && has pkg && package=$(soon pkg which -q "$program" | head -n 1 | head -c 256)
  echo "package=$package"
  [ -r "$program" ] && echo strings=read
  [ "$(head -c 2 "$program")" = '#!' ] && echo wrapper=yes
  calls "$program" | sed 's/^/string=/'
done

folders() {
  printf '%s\n' /usr/libexec/hypervkvpd /usr/sbin /usr/bin /sbin /bin /usr/local/sbin /usr/local/bin \
    /usr/lib/hyper-v/bin /usr/libexec/hyperv /usr/lib/hyperv/kvp_scripts
  for program in /usr/sbin/hypervkvpd /usr/sbin/hv_kvp_daemon /usr/bin/hv_kvp_daemon "/usr/lib/linux-tools/$release/hv_kvp_daemon"; do
    [ -r "$program" ] && calls "$program" | sed -n 's#^\(exec \)*\(/[A-Za-z0-9/._-]*\)/%s %s.*#\2#p' | head -n 4
  done
}
code() { head -c 65536 "$1" | grep -v '^[[:space:]]*#'; }

at scripts
folders | sort -u | while read -r folder; do
  script=$folder/hv_set_ifconfig
  [ -d "$folder" ] && [ ! -x "$folder" ] && echo "closed=$script"
  [ -e "$script" ] || continue
  echo "script=$script"
  [ -x "$script" ] && echo executable=yes
  [ -r "$script" ] && echo content=read && echo lines=read
  code "$script" | grep -o -E 'nmcli|NetworkManager/system-connections|/etc/netplan|netplan apply|/etc/network/interfaces|sysconfig/network-scripts|sysconfig/network/|systemd/network|networkctl|wicked|rc\.conf' \
    | sort -u | head -n 20 | sed 's/^/writes=/'
done

# Of each script the lines that say how many files it takes, and how it makes them count. A folder has two names where
# /sbin is /usr/sbin.
at lines
folders | sort -u | {
  seen=
  while read -r folder; do
    script=$folder/hv_set_ifconfig
    [ -f "$script" ] && [ -r "$script" ] || continue
    real=$(cd -P "$folder" && pwd -P)
    echo "script=$script"
    echo "folder=$real"
    case $seen in *":$real:"*) continue ;; esac
    seen=$seen:$real:
    code "$script" | grep -E '[$][{]?[0-9#@*]|argv|argparse|exit|return|raise|nmcli|NetworkManager|ifup|[(][)]|^[[:space:]]*(if|elif|else|fi|def|function|case|shift|set|local)' \
      | sed 's/^[[:space:]]*//' | cut -c 1-160 | head -c 3600 | sed 's/^/line=/'
  done
} | cap

at units
has systemctl && soon systemctl --no-pager show -p Id -p LoadState -p ActiveState -p UnitFileState -p ProtectSystem \
  -p ReadWritePaths -p ReadOnlyPaths -p InaccessiblePaths -p CapabilityBoundingSet hypervkvpd.service hv-kvp-daemon.service hv_kvp_daemon.service | cap

at boot
grep -l -s 'hv_kvp' /usr/lib/udev/rules.d/*.rules /lib/udev/rules.d/*.rules /etc/udev/rules.d/*.rules \
  | xargs grep -h -s 'hv_kvp.*SYSTEMD_WANTS' | head -n 8 | cap | sed 's/^/udev=/'
ls /etc/rc[2-5].d/S*kvp* /etc/init/hv-kvp-daemon.conf /etc/rc.d/hv_kvpd /etc/devd/hyperv.conf | head -n 8 | sed 's/^/link=/'

at adapters
for adapter in /sys/class/net/*; do
  [ -e "$adapter/address" ] || continue
  driver=$(readlink "$adapter/device/driver") || continue
  echo "adapter=${adapter##*/} mac=$(first "$adapter/address") driver=${driver##*/}"
done | cap
[ "$(uname -s)" = FreeBSD ] && for adapter in $(ifconfig -l | tr ' ' '\n' | grep '^hn' | head -n 16); do
  echo "adapter=$adapter mac=$(ifconfig "$adapter" ether | sed -n 's/^[[:space:]]*ether //p' | head -n 1) driver=hn"
done

at networkmanager
has nmcli && soon nmcli -t -f DEVICE,STATE device | cap

at networkd
has networkctl && soon networkctl --no-pager --no-legend list | cap

at netplan
ls /etc/netplan/*.yaml /run/netplan/*.yaml /usr/lib/netplan/*.yaml | cap

at ifupdown
[ -r /etc/network/interfaces ] && echo interfaces=yes
has ifup && echo ifup=yes
grep -h -E '^[[:space:]]*iface ' /etc/network/interfaces /etc/network/interfaces.d/* | cap

at ifcfg
ls /etc/sysconfig/network-scripts/ifcfg-* /etc/sysconfig/network/ifcfg-* | cap
grep -H -s -E '^(NM_CONTROLLED)=' /etc/sysconfig/network-scripts/ifcfg-* | cap
soon systemctl is-active wickedd.service | grep -x active | sed 's/^/wicked=/'

at addresses
has ip && soon ip -o address show scope global | cap
[ "$(uname -s)" = FreeBSD ] && grep -h '^ifconfig_hn' /etc/rc.conf | cap

at pool
for pool in /var/lib/hyperv/.kvp_pool_3 /var/db/hyperv/pool/.kvp_pool_3; do
  [ -d "${pool%/*}" ] && [ ! -x "${pool%/*}" ] && echo closed=yes
  [ -e "$pool" ] && [ ! -r "$pool" ] && echo closed=yes
  [ -r "$pool" ] && echo pool=read && tr -s '\000' '\n' <"$pool" | cap
done

at log
wrong='IP injection functionality not available|Upgrade the KVP daemon|Failed to execute cmd|Failed to write config file|hv_set_ifconfig'
lines=$(soon dmesg | tail -n 5000) && [ -n "$lines" ] && echo kernel=read
printf '%s\n' "$lines" | grep -E "$wrong" | tail -n 5 | cut -c 1-300 | sed 's/^/line=/'
has journalctl && soon journalctl -b -q --no-pager -o cat -n 500 -u hypervkvpd -u hv-kvp-daemon -u hv_kvp_daemon \
  | grep -E "$wrong" | tail -n 5 | cut -c 1-300 | sed 's/^/line=/'

at end
} </dev/null 2>/dev/null
