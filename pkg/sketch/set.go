package sketch

import (
	"fmt"

	"github.com/axiomhq/hyperloglog"
)

// MaxSetBytes is the maximum length of an encoded Set. The sparse form has up to 4096 bytes, and some in a buffer.
const MaxSetBytes = 8 << 10

// Set is an approximate set of values.
type Set struct {
	sketch *hyperloglog.Sketch
	// Incomplete reports whether values are missing, because the memory for them was used up.
	Incomplete bool
}

// NewSet returns an empty Set.
func NewSet() *Set { return &Set{sketch: newSketch()} }

// Merge adds the values of other, which may be nil.
func (s *Set) Merge(other *Set) {
	if other == nil {
		return
	}
	merge(s.sketch, other.sketch)
	s.Incomplete = s.Incomplete || other.Incomplete
}

// Count estimates the number of values.
func (s *Set) Count() int64 { return int64(s.sketch.Estimate()) }

// CountWithout estimates the number of values that are not in other.
func (s *Set) CountWithout(other *Set) int64 {
	without := other.Count()
	if without == 0 {
		return s.Count()
	}
	both := &Set{sketch: s.sketch.Clone()}
	both.Merge(other)
	return max(both.Count()-without, 0)
}

// MarshalBinary encodes the values. It does not encode Incomplete.
func (s *Set) MarshalBinary() ([]byte, error) {
	s.sketch.Estimate() // compacts the sparse form
	return s.sketch.MarshalBinary()
}

// UnmarshalBinary decodes values of another replica. It refuses those of another precision.
func (s *Set) UnmarshalBinary(data []byte) error {
	if len(data) > MaxSetBytes {
		return fmt.Errorf("sketch: %d bytes, but at most %d are allowed", len(data), MaxSetBytes)
	}
	if len(data) < 2 || data[1] != precision {
		return fmt.Errorf("sketch: the precision is not %d", precision)
	}
	decoded := &hyperloglog.Sketch{}
	if err := decoded.UnmarshalBinary(data); err != nil {
		return fmt.Errorf("sketch: %w", err)
	}
	s.sketch = decoded
	return nil
}
