package swanctl

import (
	"bytes"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"esplanade/ike/vici"
)

// needSwanctl skips, saying how to get what is missing.
func needSwanctl(t *testing.T) {
	t.Helper()
	if _, err := exec.LookPath("swanctl"); err != nil {
		t.Skip("NOT TESTED: the stock swanctl is missing; on Debian: apt-get install strongswan-swanctl")
	}
}

// record runs the stock swanctl on a folder with swanctl.conf, and returns what it asks a daemon for that is content with everything.
func record(t *testing.T, dir string, args ...string) (requests []vici.Packet, output string, err error) {
	t.Helper()
	sockets, err := os.MkdirTemp("", "vici") // the path of a socket is short
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(sockets)
	l, err := net.Listen("unix", filepath.Join(sockets, "s"))
	if err != nil {
		t.Fatal(err)
	}
	var done sync.WaitGroup
	done.Go(func() {
		c, err := l.Accept()
		if err != nil {
			return
		}
		defer c.Close()
		for {
			p, err := vici.ReadPacket(c)
			if err != nil {
				return
			}
			requests = append(requests, p)
			answer := &vici.Message{}
			if !strings.HasPrefix(p.Name, "get-") {
				answer.Set("success", "yes").Set("id", strconv.Itoa(len(requests)))
			}
			if vici.WritePacket(c, vici.Packet{Type: vici.CmdResponse, Message: answer}) != nil {
				return
			}
		}
	})
	cmd := exec.Command("swanctl", append(args, "--uri", "unix://"+l.Addr().String(), "--file", filepath.Join(dir, "swanctl.conf"))...)
	cmd.Env = append(os.Environ(), "SWANCTL_DIR="+dir)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr, cmd.Stdin = &out, &out, nil
	err = cmd.Run()
	l.Close()
	done.Wait()
	return requests, out.String(), err
}

// dumpMessage writes a message as dump does a table.
func dumpMessage(m *vici.Message) string {
	var parts []string
	for e := range m.All() {
		switch e.Kind {
		case vici.KindSection:
			parts = append(parts, e.Name+" {", dumpMessage(e.Section), "}")
		case vici.KindList:
			parts = append(parts, e.Name+"="+strconv.Quote(strings.Join(e.List, ",")))
		default:
			parts = append(parts, e.Name+"="+strconv.Quote(e.Value))
		}
	}
	return strings.Join(slices.DeleteFunc(parts, func(s string) bool { return s == "" }), " ")
}

// TestSwanctlAgrees: what Debian's swanctl makes of the texts is what we make of them, and what we refuse as malformed, it refuses.
func TestSwanctlAgrees(t *testing.T) {
	needSwanctl(t)
	folder := func(t *testing.T, text string) string {
		dir := t.TempDir()
		for name, data := range others {
			writeFile(t, filepath.Join(dir, name), data)
		}
		writeFile(t, filepath.Join(dir, "swanctl.conf"), "connections {\n"+text+"\n}\n")
		return dir
	}
	for i, tt := range agreed {
		t.Run(strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			requests, output, err := record(t, folder(t, tt.text), "--load-conns")
			var got []string
			for _, p := range requests {
				if p.Name == "load-conn" {
					got = append(got, dumpMessage(p.Message))
				}
			}
			if got := strings.Join(got, " "); got != tt.want || err != nil {
				t.Errorf("swanctl makes of %q\n%s, want\n%s\n%v %s", tt.text, got, tt.want, err, output)
			}
		})
	}
	for i, tt := range malformed {
		t.Run("malformed"+strconv.Itoa(i), func(t *testing.T) {
			t.Parallel()
			// It goes on with an empty file, and reports no failure.
			if _, output, _ := record(t, folder(t, tt.text), "--load-conns"); !strings.Contains(output, "invalid config file") {
				t.Errorf("swanctl takes %q: %s", tt.text, output)
			}
		})
	}
}

func writeFile(t *testing.T, name, data string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(data), 0o600); err != nil {
		t.Fatal(err)
	}
}
