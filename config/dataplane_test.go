package config

import (
	"fmt"
	"reflect"
	"testing"
)

// TestDataplaneSwitches: each switch of [dataplane] is its own: written false it changes one value, but tun_offload,
// which stands for five.
func TestDataplaneSwitches(t *testing.T) {
	read := func(text string) Dataplane {
		t.Helper()
		c, err := Parse("x.toml", []byte(text))
		if err != nil {
			t.Fatal(err)
		}
		return c.Dataplane
	}
	on := reflect.ValueOf(read(""))
	for key, fields := range map[string][]string{
		"mss_clamp": {"MSSClamp"}, "copy_dscp": {"CopyDSCP"}, "black_hole_detection": {"BlackHoleDetection"}, "gso": {"GSO"}, "gso_sentinel": {"GSOSentinel"}, "gro": {"GRO"},
		"tun_offload": {"TunGSOWrite", "TunOffload", "TunTSO", "TunTSOECN", "TunUSO", "VNetHdr"},
		"vnet_hdr":    {"VNetHdr"}, "tun_tso": {"TunTSO"}, "tun_tso_ecn": {"TunTSOECN"}, "tun_uso": {"TunUSO"},
		"tun_gso_write": {"TunGSOWrite"}, "multi_queue": {"MultiQueue"}, "reuse_port": {"ReusePort"},
		"spi_steering": {"SPISteering"}, "raw_io": {"RawIO"}, "raw_esp": {"RawESP"},
	} {
		off := reflect.ValueOf(read("[dataplane]\n" + key + " = false\n"))
		var changed []string
		for i := range on.NumField() {
			f := on.Type().Field(i)
			if f.Type.Kind() != reflect.Bool {
				continue
			}
			if !on.Field(i).Bool() {
				t.Errorf("%s is off by default", f.Name)
			}
			if !off.Field(i).Bool() {
				changed = append(changed, f.Name)
			}
		}
		want := map[string]bool{}
		for _, f := range fields {
			want[f] = true
		}
		got := map[string]bool{}
		for _, f := range changed {
			got[f] = true
		}
		if fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("%s = false switches %v off, want %v", key, got, want)
		}
	}
}
