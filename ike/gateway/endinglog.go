package gateway

import "strconv"

// maxEndingLines is how many SAs that are taken down a command has a line for, one by one.
const maxEndingLines = 32

// sayAll logs what is taken down.
func (how Ending) sayAll(n int, line func(i int) string) {
	if how.Log == nil {
		return
	}
	for i := range min(n, maxEndingLines) {
		if text := line(i); text != "" {
			how.Log(1, "IKE", text)
		}
	}
	if n > maxEndingLines {
		how.Log(1, "IKE", "and "+strconv.Itoa(n-maxEndingLines)+" others")
	}
}
