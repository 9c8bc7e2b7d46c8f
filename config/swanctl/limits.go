package swanctl

// Limits of what is read. They bound what a mistake costs (a pattern that matches too much, sections that inherit from each other), and are
// well above what a host with ten thousand connections has.
const (
	// MaxDepth is how deep sections may be nested.
	MaxDepth = 32
	// MaxIncludeDepth is how deep files may include each other; strongSwan's limit is the same.
	MaxIncludeDepth = 10
	// MaxFiles is how many files may be read for one configuration, each time that it is included.
	MaxFiles = 32768
	// MaxBytes is how much text they may have in all, in bytes.
	MaxBytes = 64 << 20
	// MaxEntries is how many keys and sections the whole may have with what is inherited.
	MaxEntries = 1 << 21
	// MaxReferences is how many sections one section may inherit from, those that these inherit from included.
	MaxReferences = 256
	// MaxSteps is how many sections are looked up for what is inherited, and StepsPerEntry how many more for each key and section that is written.
	MaxSteps      = 1 << 16
	StepsPerEntry = 64
)
