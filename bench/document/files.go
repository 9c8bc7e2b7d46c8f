package document

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// WriteFile writes a file of a report and makes its directory if it is not there.
func WriteFile(dir, name, text string) error {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644)
}

// WriteJSON writes the figures of a report, as WriteFile does.
func WriteJSON(dir, name string, figures any) error {
	text, err := json.MarshalIndent(figures, "", " ")
	if err != nil {
		return err
	}
	return WriteFile(dir, name, string(text)+"\n")
}
