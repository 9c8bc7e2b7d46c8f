package sidebyside

import (
	"context"
	"os"
	"runtime"
	"strings"
	"time"

	"esplanade/bench/contest"
	"esplanade/bench/report"
	"esplanade/integration/lab"
)

// conditions are what is known before anything is measured.
func conditions(ctx context.Context, root string, o *Options) report.Conditions {
	c := report.Conditions{
		Started: time.Now(), Go: runtime.Version(), CPUs: runtime.NumCPU(), Command: []string{o.Line}, Runs: o.runs,
		TCPSeconds: o.tcp.Seconds(), ProbeSeconds: o.probe.Seconds(), PingSeconds: o.ping.Seconds(),
		Tools: map[string]string{}, Sysctls: map[string]string{}, Offloads: map[report.Wire][]string{}, Reference: map[report.Wire]float64{},
	}
	c.Kernel, c.CPU, c.Memory, c.LoadAverage = lab.Kernel(), lab.ProcField("cpuinfo", "model name"), lab.ProcField("meminfo", "MemTotal"), lab.LoadAverage()
	c.Hypervisor = strings.Contains(lab.ProcField("cpuinfo", "flags"), "hypervisor")
	for name, args := range map[string][]string{"iperf3": {"iperf3", "--version"}, "strongSwan": {"swanctl", "--help"}, "ethtool": {"ethtool", "--version"}} {
		if v := contest.Version(ctx, args...); v != "" {
			c.Tools[name] = v
		}
	}
	c.Tools["strongSwan"] = strings.TrimSuffix(strings.TrimPrefix(c.Tools["strongSwan"], "strongSwan "), " swanctl")
	if c.Tools["strongSwan"] == "" {
		delete(c.Tools, "strongSwan")
	}
	for _, key := range []string{"net.core.rmem_max", "net.core.wmem_max", "net.ipv4.tcp_congestion_control"} {
		b, err := os.ReadFile("/proc/sys/" + strings.ReplaceAll(key, ".", "/"))
		if err == nil {
			c.Sysctls[key] = strings.TrimSpace(string(b))
		}
	}
	c.Commit, c.Uncommitted = contest.Commit(ctx, root)
	return c
}
