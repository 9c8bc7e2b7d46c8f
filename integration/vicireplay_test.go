//go:build linux

package integration

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// The types of VICI packets that have a name, and the event, after which more comes.
const (
	viciRequest    = 0
	viciRegister   = 3
	viciUnregister = 4
	viciEvent      = 7
)

// viciPatience is how long an answer may take.
const viciPatience = 20 * time.Second

// readVICI reads a packet: its length in four bytes, and then it.
func readVICI(r io.Reader) ([]byte, error) {
	var head [4]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	n := binary.BigEndian.Uint32(head[:])
	if n == 0 || n > 512<<10 {
		return nil, fmt.Errorf("a packet of %d bytes", n)
	}
	b := make([]byte, n)
	_, err := io.ReadFull(r, b)
	return b, err
}

func writeVICI(w io.Writer, packet []byte) error {
	_, err := w.Write(append(binary.BigEndian.AppendUint32(nil, uint32(len(packet))), packet...))
	return err
}

// ids are numbers in the names of sections.
var ids = regexp.MustCompile(`-[0-9]+$`)

// viciShape is the type and name of a packet, and the keys of its message with the sections that they are in, sorted; of values only
// whether it was a success.
func viciShape(b []byte) (shape []string, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("a packet that is cut off: %x", b)
		}
	}()
	text := func(n int) string { s := string(b[:n]); b = b[n:]; return s }
	kind := b[0]
	b = b[1:]
	head := fmt.Sprintf("%d", kind)
	if slices.Contains([]byte{viciRequest, viciRegister, viciUnregister, viciEvent}, kind) {
		n := int(b[0])
		b = b[1:]
		head += " " + text(n)
	}
	var path []string
	keys := map[string]bool{}
	for len(b) > 0 {
		element := b[0]
		b = b[1:]
		name := ""
		if element == 1 || element == 3 || element == 4 {
			n := int(b[0])
			b = b[1:]
			name = strings.ReplaceAll(ids.ReplaceAllString(text(n), "-N"), " ", "_")
		}
		value := ""
		if element == 3 || element == 5 {
			n := int(binary.BigEndian.Uint16(b))
			b = b[2:]
			value = text(n)
		}
		key := strings.Join(append(slices.Clone(path), name), ">")
		switch element {
		case 1:
			path = append(path, name)
		case 2:
			path = path[:len(path)-1]
		case 3:
			if name == "success" {
				key += "=" + value
			}
			keys[key] = true
		case 4:
			keys[key] = true
		case 5, 6:
		default:
			return nil, fmt.Errorf("an element of type %d", element)
		}
	}
	var list []string
	for k := range keys {
		list = append(list, k)
	}
	slices.Sort(list)
	return append([]string{head}, list...), nil
}

// recorder stands between a client and a gateway and writes down what the two say.
type recorder struct {
	mu    sync.Mutex
	lines []string
}

// listen takes clients on a socket and hands on to another one, until the test ends.
func (r *recorder) listen(t *testing.T, path, to string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			d, err := net.Dial("unix", to)
			if err != nil {
				c.Close()
				return
			}
			go r.copy(d, c, func(b []byte) string { return "> " + hex.EncodeToString(b) })
			go r.copy(c, d, func(b []byte) string {
				shape, err := viciShape(b)
				if err != nil {
					return "< " + err.Error()
				}
				return "< " + strings.Join(shape, " | ")
			})
		}
	}()
}

func (r *recorder) copy(to, from net.Conn, line func([]byte) string) {
	defer to.Close()
	for {
		b, err := readVICI(from)
		if err != nil {
			return
		}
		r.mu.Lock()
		r.lines = append(r.lines, line(b))
		r.mu.Unlock()
		if writeVICI(to, b) != nil {
			return
		}
	}
}

// exchange is a request of a client and what strongSwan has said to it.
type viciExchange struct {
	request []byte
	answers [][]string
}

// readRecord reads a recording.
func readRecord(t *testing.T, file string) (list []viciExchange) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		line = strings.TrimSpace(line)
		switch {
		case strings.HasPrefix(line, "> "):
			request, err := hex.DecodeString(line[2:])
			if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			list = append(list, viciExchange{request: request})
		case strings.HasPrefix(line, "< ") && len(list) > 0:
			last := &list[len(list)-1]
			last.answers = append(last.answers, strings.Split(line[2:], " | "))
		}
	}
	if len(list) == 0 {
		t.Fatalf("%s has no requests", file)
	}
	return list
}

// notOurs reports whether strongSwan has something in its answer to a command that Esplanade need not have: the names of algorithms that it
// has not, and which IKE SA a line of the log is about, which is in the line.
func notOurs(command, key string) bool {
	return command == "0 get-algorithms" || key == "7 control-log | ikesa-name" || key == "7 control-log | ikesa-uniqueid"
}

// replay says what a client has said, byte for byte, and compares the answers with strongSwan's: the same events, the same success, and
// every key that strongSwan has.
func replay(t *testing.T, socket, file string) {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, x := range readRecord(t, file) {
		asked, err := viciShape(x.request)
		if err != nil {
			t.Fatal(err)
		}
		if err := writeVICI(c, x.request); err != nil {
			t.Fatalf("%s: %s: %v", file, asked[0], err)
		}
		_ = c.SetReadDeadline(time.Now().Add(viciPatience))
		want, got := map[string]bool{}, map[string]bool{}
		add := func(all map[string]bool, shape []string) {
			for i, key := range shape {
				if i > 0 {
					key = shape[0] + " | " + key
				}
				all[key] = true
			}
		}
		for _, a := range x.answers {
			add(want, a)
		}
		for {
			b, err := readVICI(c)
			if err != nil {
				t.Fatalf("%s: no answer to %s: %v", file, asked[0], err)
			}
			shape, err := viciShape(b)
			if err != nil {
				t.Fatal(err)
			}
			add(got, shape)
			if b[0] != viciEvent {
				break
			}
		}
		for key := range want {
			if !got[key] && !notOurs(asked[0], key) {
				t.Errorf("%s: the answer to %s has no %q", file, asked[0], key)
			}
		}
		for key := range got {
			if !strings.Contains(key, " | ") && !want[key] {
				t.Errorf("%s: %s is answered with %q, and by strongSwan with %v", file, asked[0], key, x.answers)
			}
		}
	}
}
