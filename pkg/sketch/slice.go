package sketch

import (
	"math/bits"
	"sync/atomic"

	"github.com/axiomhq/hyperloglog"
)

// precision is the base-2 logarithm of the number of registers. The standard error is 1.04 / sqrt(4096) = 1.6 %.
const precision = 12

const (
	numRegisters = 1 << precision
	maxProbes    = 8 // slots of a table that a value may use
)

// table is a hash set of values. Zero marks a free slot, and is no value.
type (
	smallTable  [16]atomic.Uint64
	mediumTable [128]atomic.Uint64
)

// registerWords are the registers of a dense sketch, eight in each word.
type registerWords [numRegisters / 8]atomic.Uint64

// Sizes in bytes, for the Budget.
const (
	smallSize  = 16*8 + 32
	mediumSize = 128 * 8
	denseSize  = numRegisters
)

// slice is the set of values of one slice of time. It is safe for concurrent use. A value goes to the first level that has space
// for it, so that a slice with few values uses little memory. Values never change their level.
type slice struct {
	small      smallTable
	medium     atomic.Pointer[mediumTable]
	dense      atomic.Pointer[registerWords]
	incomplete atomic.Bool // values were dropped, because the Budget was used up
}

// add adds a uniformly distributed value.
func (s *slice) add(value uint64, b *Budget) {
	value = max(value, 1)
	if insert(s.small[:], value) {
		return
	}
	medium := grow(&s.medium, mediumSize, b)
	if medium != nil && insert(medium[:], value) {
		return
	}
	dense := grow(&s.dense, denseSize, b)
	if dense == nil {
		s.incomplete.Store(true)
		return
	}
	dense.add(value)
}

// insert adds value to the table. It reports whether the table has the value now.
func insert(slots []atomic.Uint64, value uint64) bool {
	for i := range uint64(maxProbes) {
		slot := &slots[(value+i)%uint64(len(slots))]
		switch found := slot.Load(); {
		case found == value:
			return true
		case found == 0 && (slot.CompareAndSwap(0, value) || slot.Load() == value):
			return true
		}
	}
	return false
}

// grow returns the level, and creates it if the Budget allows that. It returns nil otherwise.
func grow[T any](level *atomic.Pointer[T], size int64, b *Budget) *T {
	if found := level.Load(); found != nil {
		return found
	}
	if !b.take(size) {
		return nil
	}
	if !level.CompareAndSwap(nil, new(T)) {
		b.release(size)
	}
	return level.Load()
}

// add sets the register of the value. The position is the value's upper bits, and the register the position of the first 1 after
// them, as in package hyperloglog.
func (r *registerWords) add(value uint64) {
	at := value >> (64 - precision)
	rank := uint64(bits.LeadingZeros64(value<<precision|1<<(precision-1))) + 1
	word, shift := &r[at/8], at%8*8
	for {
		old := word.Load()
		if old>>shift&0xff >= rank {
			return
		}
		if word.CompareAndSwap(old, old&^(0xff<<shift)|rank<<shift) {
			return
		}
	}
}

// addTo adds the values to a sketch.
func (s *slice) addTo(to *hyperloglog.Sketch) {
	addTable(to, s.small[:])
	if medium := s.medium.Load(); medium != nil {
		addTable(to, medium[:])
	}
	if dense := s.dense.Load(); dense != nil {
		merge(to, dense.sketch())
	}
}

func addTable(to *hyperloglog.Sketch, slots []atomic.Uint64) {
	for i := range slots {
		if value := slots[i].Load(); value != 0 {
			to.InsertHash(value)
		}
	}
}

// sketch returns a copy of the registers.
func (r *registerWords) sketch() *hyperloglog.Sketch {
	data := make([]byte, 0, 8+numRegisters)
	data = append(data, 2, precision, 0, 0, 0, 0, numRegisters>>8, numRegisters&0xff) // the header of a dense sketch
	for i := range r {
		word := r[i].Load()
		for shift := 0; shift < 64; shift += 8 {
			data = append(data, byte(word>>shift))
		}
	}
	s := &hyperloglog.Sketch{}
	if err := s.UnmarshalBinary(data); err != nil {
		panic("sketch: " + err.Error()) // the format of the pinned version has changed; a test finds that
	}
	return s
}

// size returns the memory that was taken from the Budget for the levels of s.
func (s *slice) size() int64 {
	n := int64(smallSize)
	if s.medium.Load() != nil {
		n += mediumSize
	}
	if s.dense.Load() != nil {
		n += denseSize
	}
	return n
}

// newSketch returns an empty sketch.
func newSketch() *hyperloglog.Sketch {
	s, err := hyperloglog.NewSketch(precision, true)
	if err != nil {
		panic("sketch: " + err.Error()) // the precision is a valid constant
	}
	return s
}

// merge adds the values of from, which must have the same precision.
func merge(to, from *hyperloglog.Sketch) {
	if err := to.Merge(from); err != nil {
		panic("sketch: " + err.Error()) // all sketches of this package have one precision
	}
}
