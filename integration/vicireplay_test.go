//go:build linux

package integration

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
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

// viciValue is a value of a message, or a list: the sections that it is in, its own name last.
type viciValue struct {
	path  []string
	value string
}

// walkVICI takes a packet apart: its type and name, its values and lists. Each item of a list is a value with the name of the list.
func walkVICI(b []byte) (head string, values []viciValue, err error) {
	defer func() {
		if recover() != nil {
			err = fmt.Errorf("a packet that is cut off: %x", b)
		}
	}()
	text := func(n int) string { s := string(b[:n]); b = b[n:]; return s }
	kind := b[0]
	b = b[1:]
	head = fmt.Sprintf("%d", kind)
	if slices.Contains([]byte{viciRequest, viciRegister, viciUnregister, viciEvent}, kind) {
		n := int(b[0])
		b = b[1:]
		head += " " + text(n)
	}
	var path []string
	name := ""
	for len(b) > 0 {
		element := b[0]
		b = b[1:]
		if element == 1 || element == 3 || element == 4 {
			n := int(b[0])
			b = b[1:]
			name = text(n)
		}
		value := ""
		if element == 3 || element == 5 {
			n := int(binary.BigEndian.Uint16(b))
			b = b[2:]
			value = text(n)
		}
		switch element {
		case 1:
			path = append(path, name)
		case 2:
			path = path[:len(path)-1]
		case 3, 4, 5:
			values = append(values, viciValue{append(slices.Clone(path), name), value})
		case 6:
		default:
			return "", nil, fmt.Errorf("an element of type %d", element)
		}
	}
	return head, values, nil
}

// viciShape is the type and name of a packet, and the keys of its message with the sections that they are in, sorted; of values only
// whether it was a success.
func viciShape(b []byte) ([]string, error) {
	head, values, err := walkVICI(b)
	if err != nil {
		return nil, err
	}
	keys := map[string]bool{}
	for _, v := range values {
		for i, name := range v.path {
			v.path[i] = strings.ReplaceAll(ids.ReplaceAllString(name, "-N"), " ", "_")
		}
		key := strings.Join(v.path, ">")
		if v.path[len(v.path)-1] == "success" {
			key += "=" + v.value
		}
		keys[key] = true
	}
	return append([]string{head}, slices.Sorted(maps.Keys(keys))...), nil
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

// viciExchange is what a client has said before it has read, one request or several at once, and what strongSwan has said to it.
type viciExchange struct {
	requests [][]byte
	answers  [][]string
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
			if n := len(list); n > 0 && len(list[n-1].answers) == 0 {
				list[n-1].requests = append(list[n-1].requests, request)
				continue
			}
			list = append(list, viciExchange{requests: [][]byte{request}})
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
// has not, which IKE SA a line of the log is about, which is in the line, and the exchange that is just over as one that runs.
func notOurs(command, key string) bool {
	return command == "0 get-algorithms" || strings.HasSuffix(key, ">tasks-active") || key == "7 control-log | ikesa-name" || key == "7 control-log | ikesa-uniqueid"
}

// raised are the events that come when something happens, before an answer or after it.
func raised(head string) bool { return head == "7 ike-updown" || head == "7 child-updown" }

// answers are the types, names and keys of packets.
type answers map[string]bool

func (a answers) add(shape []string) {
	a[shape[0]] = true
	for _, key := range shape[1:] {
		a[shape[0]+" | "+key] = true
	}
}

// replayer says what a client has said.
type replayer struct {
	t    *testing.T
	file string
	conn net.Conn
	// wantRaised are the events that strongSwan has raised by now, and gotRaised those that Esplanade has.
	wantRaised, gotRaised answers
	// child is the number of the CHILD SA that was listed last, and unloaded the connection that was unloaded last.
	child, unloaded string
	// ending is set if SAs end by themselves, for which the client waits.
	ending bool
}

// replay says what a client has said, byte for byte but for the number of a CHILD SA, which the client has from a list, and compares the
// answers with strongSwan's: the same events, the same success, and every key that strongSwan has.
func replay(t *testing.T, socket, file string) {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	r := &replayer{t: t, file: file, conn: c, wantRaised: answers{}, gotRaised: answers{}}
	for _, x := range readRecord(t, file) {
		var asked []string
		for _, request := range x.requests {
			head, _, err := walkVICI(request)
			if err != nil {
				t.Fatal(err)
			}
			asked = append(asked, head)
		}
		if x.requests[0][0] == viciUnregister {
			r.awaitRaised(asked[0])
		}
		r.say(strings.Join(asked, ", "), x)
	}
}

// say makes one request, or several at once, and compares the answers.
func (r *replayer) say(asked string, x viciExchange) {
	r.t.Helper()
	want := answers{}
	var wantOrder []string
	for _, shape := range x.answers {
		if raised(shape[0]) {
			r.wantRaised.add(shape)
			continue
		}
		want.add(shape)
		if shape[0][0] != '0'+viciEvent {
			wantOrder = append(wantOrder, shape[0])
		}
	}
	got, gotOrder := r.ask(asked, x)
	for end := time.Now().Add(viciPatience); r.ending && got["7 list-sa"] && !want["7 list-sa"] && time.Now().Before(end); {
		got, gotOrder = r.ask(asked, x)
	}
	if !slices.Equal(gotOrder, wantOrder) {
		r.t.Errorf("%s: %s are answered with %q, and by strongSwan with %q", r.file, asked, gotOrder, wantOrder)
	}
	if r.endedBefore(x.requests[len(x.requests)-1]) {
		r.ending = true
		return
	}
	for key := range want {
		if !got[key] && !notOurs(asked, key) {
			r.t.Errorf("%s: the answer to %s has no %q", r.file, asked, key)
		}
	}
	for key := range got {
		if !strings.Contains(key, " | ") && !want[key] {
			r.t.Errorf("%s: %s is answered with %q, and by strongSwan with %v", r.file, asked, key, x.answers)
		}
	}
}

// ask makes one request, or several at once, and reads an answer to each: got is what came, and order the answers without the events.
func (r *replayer) ask(asked string, x viciExchange) (got answers, order []string) {
	r.t.Helper()
	for _, request := range x.requests {
		if err := writeVICI(r.conn, r.withChild(request)); err != nil {
			r.t.Fatalf("%s: %s: %v", r.file, asked, err)
		}
	}
	got = answers{}
	for len(order) < len(x.requests) {
		kind, shape := r.read("no answer to " + asked)
		if raised(shape[0]) {
			r.gotRaised.add(shape)
			continue
		}
		got.add(shape)
		if kind != viciEvent {
			order = append(order, shape[0])
		}
	}
	return got, order
}

// endedBefore reports whether a request is to end what has ended already: the SAs of a connection go with it, which strongSwan leaves up.
func (r *replayer) endedBefore(request []byte) bool {
	head, values, err := walkVICI(request)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, v := range values {
		switch {
		case head == "0 unload-conn" && v.path[0] == "name":
			r.unloaded = v.value
		case head == "0 terminate" && v.path[0] == "ike":
			return v.value == r.unloaded
		}
	}
	return false
}

// awaitRaised waits until everything was raised that strongSwan has raised.
func (r *replayer) awaitRaised(asked string) {
	r.t.Helper()
	for key := range r.wantRaised {
		for !r.gotRaised[key] && !notOurs(asked, key) {
			_, shape := r.read(fmt.Sprintf("before %s there was no %q", asked, key))
			r.gotRaised.add(shape)
		}
	}
}

// read reads a packet, or fails with what is missing.
func (r *replayer) read(missing string) (kind byte, shape []string) {
	r.t.Helper()
	_ = r.conn.SetReadDeadline(time.Now().Add(viciPatience))
	b, err := readVICI(r.conn)
	if err != nil {
		r.t.Fatalf("%s: %s: %v", r.file, missing, err)
	}
	head, values, err := walkVICI(b)
	if err != nil {
		r.t.Fatal(err)
	}
	for _, v := range values {
		if n := len(v.path); head == "7 list-sa" && n > 3 && v.path[n-3] == "child-sas" && v.path[n-1] == "uniqueid" {
			r.child = v.value
		}
	}
	if shape, err = viciShape(b); err != nil {
		r.t.Fatal(err)
	}
	return b[0], shape
}

// withChild is a request with the number of the CHILD SA that was listed last where the client has written it.
func (r *replayer) withChild(request []byte) []byte {
	key := append([]byte{3, byte(len("child-id"))}, "child-id"...)
	before, after, ok := bytes.Cut(request, key)
	if !ok {
		return request
	}
	n := int(binary.BigEndian.Uint16(after))
	out := binary.BigEndian.AppendUint16(slices.Concat(before, key), uint16(len(r.child)))
	return slices.Concat(out, []byte(r.child), after[2+n:])
}
