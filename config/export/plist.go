package export

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"fmt"
	"strings"
)

// A plist is a property list in XML: https://www.apple.com/DTDs/PropertyList-1.0.dtd. Values are string, int, bool, []byte, [dict] and []any.

// dict is a dictionary in the order in which it is written.
type dict []entry

// entry is a key with its value.
type entry struct {
	key   string
	value any
}

// set appends an entry.
func (d *dict) set(key string, value any) { *d = append(*d, entry{key, value}) }

const plistHead = xml.Header + `<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">` + "\n"

// plist writes a dictionary as a whole file.
func plist(d dict) []byte {
	var b bytes.Buffer
	b.WriteString(plistHead + "<plist version=\"1.0\">\n")
	plistValue(&b, d, "")
	b.WriteString("</plist>\n")
	return b.Bytes()
}

// base64Line is how much of base64 stands on one line.
const base64Line = 76

func plistValue(b *bytes.Buffer, value any, indent string) {
	switch v := value.(type) {
	case string:
		fmt.Fprintf(b, "%s<string>%s</string>\n", indent, xmlText(v))
	case int:
		fmt.Fprintf(b, "%s<integer>%d</integer>\n", indent, v)
	case bool:
		fmt.Fprintf(b, "%s<%v/>\n", indent, v)
	case []byte:
		fmt.Fprintf(b, "%s<data>\n%s%s</data>\n", indent, base64Lines(v, indent), indent)
	case dict:
		fmt.Fprintf(b, "%s<dict>\n", indent)
		for _, e := range v {
			fmt.Fprintf(b, "%s\t<key>%s</key>\n", indent, xmlText(e.key))
			plistValue(b, e.value, indent+"\t")
		}
		fmt.Fprintf(b, "%s</dict>\n", indent)
	case []any:
		fmt.Fprintf(b, "%s<array>\n", indent)
		for _, x := range v {
			plistValue(b, x, indent+"\t")
		}
		fmt.Fprintf(b, "%s</array>\n", indent)
	default:
		panic(fmt.Sprintf("BUG: export: a plist has no %T", value))
	}
}

// xmlText is text with what XML has a meaning for escaped.
func xmlText(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a strings.Builder takes everything
	return b.String()
}

// base64Lines is base64 in lines of that indentation.
func base64Lines(data []byte, indent string) string {
	var b strings.Builder
	for s := base64.StdEncoding.EncodeToString(data); s != ""; {
		n := min(len(s), base64Line)
		b.WriteString(indent + s[:n] + "\n")
		s = s[n:]
	}
	return b.String()
}
