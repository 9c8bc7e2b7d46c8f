//go:build linux

package integration

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The forms in which swanctl shows an answer.
const (
	plainShown  = ""
	rawShown    = "--raw"
	prettyShown = "--pretty"
)

// canonical is what a swanctl has printed as lines that can be compared with those of another one. Of --raw and --pretty, each value is
// a line that begins with the path of its sections; of the plain form, the lines stay as they are. Then whatever is a matter of
// chance or of time becomes a word.
func canonical(verb, form, out string, code int) []string {
	var lines []string
	switch form {
	case rawShown:
		lines = rawLines(out)
	case prettyShown:
		lines = prettyLines(out)
	default:
		lines = strings.Split(strings.TrimRight(out, "\n"), "\n")
	}
	lines = slices.DeleteFunc(lines, func(l string) bool { return l == "" })
	switch verb {
	case "list-sas":
		lines = withoutDeleted(lines)
	case "list-pols":
		lines = wholePolicies(lines, form)
	}
	for i, l := range lines {
		lines[i] = timeless(strings.TrimRight(l, " "))
	}
	return append(lines, fmt.Sprintf("exit %d", code))
}

// withoutDeleted leaves of CHILD SAs that are deleted and still shown only that they are.
func withoutDeleted(lines []string) (left []string) {
	const state = " > state=DELETED"
	var deleted []string
	for _, l := range lines {
		if child, ok := strings.CutSuffix(l, state); ok {
			deleted = append(deleted, child)
		}
	}
	for _, l := range lines {
		of := func(child string) bool {
			return l == child+" {}" || strings.HasPrefix(l, child+" > ") && l != child+state
		}
		if !slices.ContainsFunc(deleted, of) {
			left = append(left, l)
		}
	}
	return left
}

// wholePolicies makes one line of each policy.
func wholePolicies(lines []string, form string) (whole []string) {
	for _, l := range lines {
		begins := form != plainShown && strings.HasSuffix(l, " {}") && !strings.Contains(l, " > ") || form == plainShown && !strings.HasPrefix(l, " ")
		if begins || len(whole) == 0 {
			whole = append(whole, l)
		} else {
			whole[len(whole)-1] += "; " + strings.TrimSpace(strings.TrimPrefix(l, "list-policy event > "))
		}
	}
	return whole
}

// rawToken is what comes next in --raw: the beginning of a section, a list, a value, or the end of a section. A value ends where the
// next key or section begins, or where its section ends.
var rawToken = regexp.MustCompile(`^(?:([^\s={}]+(?: (?:reply|event))?) \{|([^\s={}]+)=\[([^\[\]{}]*(?:\[[^\]]*\][^\[\]{}]*)*)\]|([^\s={}]+)=|\})`)

// rawLines reads the messages of --raw, a line each.
func rawLines(out string) (lines []string) {
	for line := range strings.Lines(out) {
		line = strings.TrimRight(line, "\n")
		var path []string
		rest := line
		for rest != "" {
			m := rawToken.FindStringSubmatch(rest)
			if m == nil {
				lines = append(lines, join(strings.Join(path, " "), rest))
				break
			}
			rest = rest[len(m[0]):]
			at := func(s string) string { return strings.Join(append(slices.Clone(path), s), " > ") }
			switch {
			case m[1] != "":
				lines = append(lines, at(m[1])+" {}")
				path = append(path, m[1])
			case m[2] != "":
				lines = append(lines, at(m[2])+"=["+m[3]+"]")
			case m[4] != "":
				end := rawValueEnd(rest, m[4] == "errmsg" || m[4] == "msg")
				lines = append(lines, at(m[4])+"="+rest[:end])
				rest = rest[end:]
			case len(path) > 0:
				path = path[:len(path)-1]
			}
			rest = strings.TrimLeft(rest, " ")
		}
	}
	return lines
}

var rawNext = regexp.MustCompile(` [^\s={}]+(?:=| \{)`)

// rawValueEnd is where a value ends. A text may have anything in it, and is the last value of its message.
func rawValueEnd(rest string, text bool) int {
	if text {
		return len(strings.TrimRight(rest, "}"))
	}
	end := len(rest)
	if i := strings.IndexByte(rest, '}'); i >= 0 {
		end = i
	}
	if m := rawNext.FindStringIndex(rest[:end]); m != nil {
		end = m[0]
	}
	return end
}

// prettyLines reads the messages of --pretty into the same lines.
func prettyLines(out string) (lines []string) {
	var path []string
	list := ""
	var items []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		at := func(s string) string { return strings.Join(append(slices.Clone(path), s), " > ") }
		name, value, isValue := strings.Cut(line, " = ")
		switch {
		case line == "":
		case list != "" && line == "]":
			lines = append(lines, at(list)+"=["+strings.Join(items, " ")+"]")
			list, items = "", nil
		case list != "":
			items = append(items, line)
		case isValue && value == "[":
			list = name
		case strings.HasSuffix(line, " ="):
			lines = append(lines, at(strings.TrimSuffix(line, " ="))+"=")
		case isValue:
			lines = append(lines, at(name)+"="+value)
		case strings.HasSuffix(line, " {"):
			lines = append(lines, at(strings.TrimSuffix(line, " {"))+" {}")
			path = append(path, strings.TrimSuffix(line, " {"))
		case line == "}" && len(path) > 0:
			path = path[:len(path)-1]
		default:
			lines = append(lines, join(strings.Join(path, " "), line))
		}
	}
	return lines
}

// chance are the values that no two daemons have in common.
var chance = []struct {
	from *regexp.Regexp
	to   string
}{
	{regexp.MustCompile(`\b[0-9a-f]{16}_([ir])`), "SPI_$1"},
	{regexp.MustCompile(`((?:initiator|responder)-spi)=[0-9a-f]{16}$`), "$1=SPI"},
	{regexp.MustCompile(`(spi-in|spi-out)=[0-9a-f]{8}$`), "$1=SPI"},
	{regexp.MustCompile(`^(    (?:in |out)) [0-9a-f]{8}(?: \(0x[0-9a-f]+[^)]*\))?, `), "$1 SPI, "},
	{regexp.MustCompile(`(bytes-in|bytes-out|packets-in|packets-out)=[1-9][0-9]*$`), "$1=N"},
	{regexp.MustCompile(` +[1-9][0-9]* (bytes|packets),`), " N $1,"},
	{regexp.MustCompile(` +0 (bytes|packets)(,|$)`), " 0 $1$2"},
	{regexp.MustCompile(` +[1-9][0-9]* (bytes|packets)$`), " N $1"},
	{regexp.MustCompile(`(uniqueid|reqid|use-in|use-out|rekey-time|reauth-time|life-time|install-time|established)=-?[0-9]+$`), "$1=N"},
	{regexp.MustCompile(` +-?[0-9]+s ago`), " Ns ago"},
	{regexp.MustCompile(`(rekeying in|reauth in|expires in|reauthentication in) -?[0-9]+s`), "$1 Ns"},
	{regexp.MustCompile(`#[0-9]+`), "#N"},
	{regexp.MustCompile(`\b[0-9]+ (?:second|minute)s?\b`), "N seconds"},
	{regexp.MustCompile(`reqid [0-9]+`), "reqid N"},
	{regexp.MustCompile(`(> [a-z0-9]+)-[0-9]+( >| \{\})`), "$1-N$2"},
	{regexp.MustCompile(`[A-Z][a-z]{2} [0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2} [0-9]{4}`), "TIME"},
}

// timeless takes out of a line what is a matter of chance.
func timeless(line string) string {
	for _, c := range chance {
		line = c.from.ReplaceAllString(line, c.to)
	}
	return line
}

// differ finds the lines that only one of two lists has, by a longest common subsequence.
func differ(theirs, ours []string) (missing, extra []string) {
	n, m := len(theirs), len(ours)
	length := make([][]int, n+1)
	for i := range length {
		length[i] = make([]int, m+1)
	}
	for i := n - 1; i >= 0; i-- {
		for j := m - 1; j >= 0; j-- {
			if theirs[i] == ours[j] {
				length[i][j] = length[i+1][j+1] + 1
			} else {
				length[i][j] = max(length[i+1][j], length[i][j+1])
			}
		}
	}
	i, j := 0, 0
	for i < n || j < m {
		switch {
		case i < n && j < m && theirs[i] == ours[j]:
			i, j = i+1, j+1
		case j == m || i < n && length[i+1][j] >= length[i][j+1]:
			missing = append(missing, theirs[i])
			i++
		default:
			extra = append(extra, ours[j])
			j++
		}
	}
	return missing, extra
}

// TestCanonical: --raw and --pretty of the same message come to the same lines.
func TestCanonical(t *testing.T) {
	raw := "list-sa event {gw {uniqueid=3 version=2 local-host=198.18.0.1 initiator-spi=0123456789abcdef tasks-active=[A B] child-sas " +
		"{net-9 {name=net class=pre-shared key local-ts=[10.0.0.0/24[tcp/80] fd00::/64]}}}}\nlist-sas reply {}\n" +
		"initiate reply {success=no errmsg=this = that {x}}\n"
	pretty := `list-sa event {
  gw {
    uniqueid = 8
    version = 2
    local-host = 198.18.0.1
    initiator-spi = ffffffffffffffff
    tasks-active = [
      A
      B
    ]
    child-sas {
      net-123 {
        name = net
        class = pre-shared key
        local-ts = [
          10.0.0.0/24[tcp/80]
          fd00::/64
        ]
      }
    }
  }
}
list-sas reply {
}
initiate reply {
  success = no
  errmsg = this = that {x
}
`
	a, b := canonical("", rawShown, raw, 1), canonical("", prettyShown, pretty, 1)
	if !slices.Equal(a, b) || len(a) != 17 {
		t.Errorf("%d lines\n%s\n\n%s", len(a), strings.Join(a, "\n"), strings.Join(b, "\n"))
	}
	missing, extra := differ([]string{"a", "b", "c", "d"}, []string{"a", "c", "b", "e", "d"})
	if len(missing) != 1 || len(extra) != 2 {
		t.Errorf("only there %q, only here %q", missing, extra)
	}
}
