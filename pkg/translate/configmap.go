package translate

import "strings"

// MaxConfigMapValue is the maximum length of a value of a ConfigMap that is applied.
const MaxConfigMapValue = 8 << 10

// ReadsConfigMapKey reports whether translation may read the value of a key of a ConfigMap. It reads header fields and settings,
// whose names have no dot. Keys with a dot are names of files.
func ReadsConfigMapKey(key string) bool { return !strings.Contains(key, ".") }
