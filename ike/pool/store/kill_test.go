package store

import (
	"bufio"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"esplanade/ike/pool"
)

const childVariable = "ESPLANADE_TEST_LEASES"

// TestKill kills a process that writes again and again, at any moment. Whatever the process has said to be written is there.
func TestKill(t *testing.T) {
	if name := os.Getenv(childVariable); name != "" {
		writeForever(name)
		return
	}
	name := filepath.Join(t.TempDir(), "leases.db")
	rounds := 30
	if testing.Short() {
		rounds = 8
	}
	written := map[netip.Addr]string{}
	for round := range rounds {
		c := exec.Command(os.Args[0], "-test.run=^TestKill$")
		c.Env = append(os.Environ(), childVariable+"="+name)
		out, err := c.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
		in := bufio.NewScanner(out)
		for n := 0; n < 3+round*7 && in.Scan(); n++ { // the next write is under way when the line comes
			var i int
			var owner string
			if _, err := fmt.Sscan(in.Text(), &i, &owner); err != nil {
				t.Fatalf("the process says %q", in.Text())
			}
			written[address(i)] = owner
		}
		if err := c.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		for in.Scan() { // what it has said meanwhile counts as well
			var i int
			var owner string
			if n, _ := fmt.Sscan(in.Text(), &i, &owner); n == 2 {
				written[address(i)] = owner
			}
		}
		_ = c.Wait()
		s, list, err := Open(name)
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		got := byAddr(list)
		for a, owner := range written {
			// A write of which nothing was said may have been done as well.
			if r, ok := got[a]; !ok || r.Owner < owner {
				t.Fatalf("round %d: %s is kept for %q, and was given to %q", round, a, r.Owner, owner)
			}
		}
		for a, r := range got {
			written[a] = r.Owner
		}
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if len(written) < 50 {
		t.Errorf("only %d leases were written", len(written))
	}
}

// writeForever gives addresses to one owner after the other, and says so when it is written.
func writeForever(name string) {
	s, list, err := Open(name)
	if err != nil {
		fmt.Println("error", err)
		return
	}
	generation := len(list)
	for _, r := range list {
		var g int
		if _, err := fmt.Sscanf(r.Owner, "owner-%08d", &g); err == nil {
			generation = max(generation, g)
		}
	}
	for i := 0; ; i++ {
		generation++
		owner := fmt.Sprintf("owner-%08d", generation)
		if err := s.Write([]pool.Change{put(i%500, owner)}); err != nil {
			fmt.Println("error", err)
			return
		}
		fmt.Println(i%500, owner)
	}
}
