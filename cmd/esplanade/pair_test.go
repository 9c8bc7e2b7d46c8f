package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"esplanade/config"
)

// TestPair: what pair writes are two ends of one tunnel with one key, without a remark of check but what it has inferred, and for no
// other eyes.
func TestPair(t *testing.T) {
	for _, flags := range [][]string{
		{"--here", "203.0.113.10=10.10.0.0/24", "--there", "198.51.100.20=10.20.0.0/24"},
		{"--here", "[2001:db8::1]=fd10::1/64, 10.10.0.5/24", "--there", "2001:db8::2=10.20.0.0/16,10.30.0.7,fd20::1/64", "--name", "v6"},
		{"--here", "a.example.org=10.10.0.0/24", "--there", "198.51.100.20=10.20.0.0/24"},
	} {
		dir := filepath.Join(t.TempDir(), "new")
		code, stdout, stderr := cli(append([]string{"pair", "--out", dir}, flags...)...)
		if code != exitOK || stderr != "" || !strings.Contains(stdout, "there: /etc/esplanade/esplanade.toml") {
			t.Fatalf("%q: %d, %s, %s", flags, code, stdout, stderr)
		}
		var ends []*config.Config
		for _, end := range []string{"here", "there"} {
			file := filepath.Join(dir, end, "esplanade.toml")
			if code, _, stderr := cli("check", file); code != exitOK || strings.Contains(stderr, "warning: "+file+":1:") || !strings.Contains(stderr, "note: "+file) {
				t.Errorf("%q: %d, %s", flags, code, stderr)
			}
			c, err := config.Load(file)
			if err != nil || len(c.Warnings) > 0 {
				t.Fatalf("%q: %v, %v", flags, err, c)
			}
			ends = append(ends, c)
		}
		a, b := ends[0].Connections[0], ends[1].Connections[0]
		if a.Name != b.Name || !slices.Equal(a.Key.Bytes(), b.Key.Bytes()) || a.Key.Len() != 64 || !slices.Equal(a.Children[0].LocalTS, b.Children[0].RemoteTS) ||
			!slices.Equal(a.Children[0].RemoteTS, b.Children[0].LocalTS) {
			t.Errorf("%q: not two ends of one tunnel: %+v, %+v", flags, a, b)
		}
		if flags[1] == "[2001:db8::1]=fd10::1/64, 10.10.0.5/24" {
			if got := ends[0].TUN.Addresses; len(got) != 2 || got[0].String() != "fd10::1/128" || got[1].String() != "10.10.0.5/32" {
				t.Errorf("%v", got)
			}
		}
		key := filepath.Join(dir, "here", a.Name+".psk")
		for path, want := range map[string]os.FileMode{key: 0o600, filepath.Join(dir, "there", "esplanade.toml"): 0o600, filepath.Join(dir, "here"): 0o700 | os.ModeDir} {
			if info, err := os.Stat(path); err != nil || info.Mode() != want {
				t.Errorf("%s: %v, %v", path, info.Mode(), err)
			}
		}
		// Again, with one file left: nothing is written.
		before, err := os.ReadFile(key)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.RemoveAll(filepath.Join(dir, "there")); err != nil {
			t.Fatal(err)
		}
		code, stdout, stderr = cli(append([]string{"pair", "--out", dir}, flags...)...)
		if after, err := os.ReadFile(key); code != exitFailed || stdout != "" || !strings.Contains(stderr, "is there already; name another directory") || err != nil || string(after) != string(before) {
			t.Errorf("%q: %d, %s, %s, %v", flags, code, stdout, stderr, err)
		}
		if _, err := os.Stat(filepath.Join(dir, "there")); err == nil {
			t.Errorf("%q: half of it was written", flags)
		}
	}
}

// TestPairPrints: on standard output it is the same, with a fresh key each time.
func TestPairPrints(t *testing.T) {
	flags := []string{"pair", "--here", "203.0.113.10=10.10.0.1/24", "--there", "198.51.100.20=10.20.0.0/24", "--peer", "strongswan"}
	_, one, _ := cli(flags...)
	code, two, stderr := cli(flags...)
	if code != exitOK || stderr != "" || one == two || strings.Count(two, "#### ") != 3 {
		t.Fatalf("%d, %s, %s", code, two, stderr)
	}
	for _, want := range []string{
		"#### here: /etc/esplanade/esplanade.toml (chmod 600)\n", "[tun]\naddresses = \"10.10.0.1/32\"\n", "remote_addrs = \"198.51.100.20\"\n",
		"remote.id     = \"198.51.100.20\"\n", "#### there: /etc/swanctl/conf.d/tunnel.conf (chmod 600)\n", "    remote_addrs = 203.0.113.10\n",
		"        remote_ts = 10.10.0.0/24\n", "    id-2 = 203.0.113.10\n",
	} {
		if !strings.Contains(two, want) {
			t.Errorf("%q is missing in\n%s", want, two)
		}
	}
	_, psk, _ := strings.Cut(two, "tunnel.psk (chmod 600)\n")
	psk, _, _ = strings.Cut(psk, "\n")
	if len(psk) != 64 || !strings.Contains(two, "    secret = \""+psk+"\"\n") {
		t.Errorf("the ends have different keys: %s", two)
	}
}

// TestPairLeavesNothingHalf: when writing fails half-way, what was made is gone, what was there stays, and the next run works.
func TestPairLeavesNothingHalf(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "new")
	if err := os.MkdirAll(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	flags := []string{"pair", "--here", "203.0.113.10=10.10.0.0/24", "--there", "198.51.100.20=10.20.0.0/24", "--out", dir}
	// A link that leads nowhere: nothing can be made there, and no file is in the way.
	if err := os.Symlink(filepath.Join(dir, "nowhere"), filepath.Join(dir, "there")); err != nil {
		t.Fatal(err)
	}
	if code, stdout, stderr := cli(flags...); code != exitFailed || stdout != "" || stderr == "" {
		t.Errorf("%d, %s, %s", code, stdout, stderr)
	}
	if list, err := os.ReadDir(dir); err != nil || len(list) != 1 || list[0].Name() != "there" {
		t.Errorf("what is left is %v, %v", list, err)
	}
	if err := os.Remove(filepath.Join(dir, "there")); err != nil {
		t.Fatal(err)
	}
	if code, _, stderr := cli(flags...); code != exitOK {
		t.Errorf("again: %d, %s", code, stderr)
	}
	file := filepath.Join(dir, "here", "esplanade.toml")
	flags[len(flags)-1] = file
	if code, stdout, stderr := cli(flags...); code != exitFailed || stdout != "" || !strings.Contains(stderr, "--out is "+file+", which is a file; name a directory") {
		t.Errorf("a file: %d, %s, %s", code, stdout, stderr)
	}
}

// TestPairSaysWhereAnAddressGoes: strongSwan gives its host none, so that the configuration and the steps say how it gets it.
func TestPairSaysWhereAnAddressGoes(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "new")
	code, stdout, stderr := cli("pair", "--here", "203.0.113.10=10.10.0.1/24", "--there", "198.51.100.20=10.20.0.1/24", "--peer", "strongswan", "--out", dir)
	const want = "ip address add 10.20.0.1/32 dev lo\n"
	text, err := os.ReadFile(filepath.Join(dir, "there", "tunnel.conf"))
	if code != exitOK || stderr != "" || !strings.Contains(stdout, "there, if no interface has that address yet, and after each boot: "+want) ||
		err != nil || !strings.Contains(string(text), "\n# An interface of this host has to have the address; if none has: "+want) || strings.Contains(stdout, "10.10.0.1") {
		t.Errorf("%d, %s, %s, %s, %v", code, stdout, stderr, text, err)
	}
}

// TestPairRefuses: what is wrong is named by its flag, and nothing is printed.
func TestPairRefuses(t *testing.T) {
	const here, there = "203.0.113.10=10.10.0.0/24", "198.51.100.20=10.20.0.0/24"
	for _, tt := range []struct{ here, there, more, want string }{
		{here, "", "", "pair needs --here and --there"},
		{"203.0.113.10", there, "", `--here is "203.0.113.10", without networks; write ADDRESS=NETWORKS`},
		{here, "%any=10.20.0.0/24", "", `--there has the gateway "%any", which is neither`},
		{here, "198.51.100.0/24=10.20.0.0/24", "", `--there has the gateway "198.51.100.0/24", which is neither`},
		{here, "198.51.100.20=10.20.0.0/33", "", `--there has the network "10.20.0.0/33", which is not a prefix`},
		{here, "198.51.100.20=", "", `--there has the network "", which is not a prefix`},
		{here, "198.51.100.20=10.20.0.0/24,10.20.0.128/25", "", `--there has 10.20.0.0/24 and 10.20.0.128/25, which have addresses in common`},
		{here, "203.0.113.10=10.20.0.0/24", "", "--here and --there are both 203.0.113.10"},
		{here, "198.51.100.20=10.0.0.0/8", "", "--here has 10.10.0.0/24 and --there 10.0.0.0/8, which have addresses in common"},
		{here, "198.51.100.20=10.20.0.0/24,fd20::/64", "", "--there has fd20::/64, and the other end no network of the same IP version"},
		{here, "2001:db8::2=10.20.0.0/24", "", "--here is 203.0.113.10 and --there 2001:db8::2: write addresses of one IP version"},
		{here, there, "--name=a b", `--name is "a b"; write letters`},
		{here, there, "--peer=cisco", `--peer is "cisco"; write esplanade or strongswan`},
	} {
		args := []string{"pair", "--here", tt.here, "--there", tt.there}
		if tt.more != "" {
			args = append(args, tt.more)
		}
		if code, stdout, stderr := cli(args...); code != exitUsage || stdout != "" || !strings.Contains(stderr, tt.want) {
			t.Errorf("%q: %d, %s, %s; want %s", args, code, stdout, stderr, tt.want)
		}
	}
}

// A fresh key never has one of the forms that a secret is decoded from: both ends use its text.
func TestFreshKeysAreText(t *testing.T) {
	for range 20000 {
		if k := freshKey(); len(k) != 2*keyBytes || strings.Trim(k, "0123456789abcdef") != "" {
			t.Fatalf("the key is %q", k)
		}
	}
}
