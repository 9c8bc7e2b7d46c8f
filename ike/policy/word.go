package policy

// Word is a kind of value that is one of several words.
type Word interface {
	~uint8
	// Words are the words, each at the index that is its value. An empty one stands for a value that can't be written.
	Words() []string
}

// Name is the word for a value, "unknown" if there is none.
func Name[W Word](w W) string {
	if list := w.Words(); int(w) < len(list) && list[w] != "" {
		return list[w]
	}
	return "unknown"
}

// Parse finds the value of a word.
func Parse[W Word](text string) (w W, ok bool) {
	for i, s := range w.Words() {
		if s == text && s != "" {
			return W(i), true
		}
	}
	return w, false
}
