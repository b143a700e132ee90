package pattern

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// builder builds the automaton of a program by the subset construction.
//
// A state is a set of instructions and the class of the previous character, if the program depends on it. The set
// contains the instructions that consume a character, check an empty-width assertion, or accept. Other instructions
// are followed when the set is built. Assertions are followed when the next character is known.
type builder struct {
	program     *syntax.Prog
	looksAround bool // the program contains empty-width assertions
	p           *Pattern
	samples     []rune // one character of each class
	states      map[string]uint16
	queue       []stateSet // by state; processing an element adds its transitions
	marked      []bool     // by instruction: contained in the current set
	steps       int
}

// stateSet is the sorted instructions of a state, and a representative of the previous character.
type stateSet struct {
	insts  []uint32
	before rune
}

// none represents the missing character before the first and after the last one.
const none rune = -1

func newBuilder(program *syntax.Prog) *builder {
	b := &builder{program: program, p: &Pattern{}, states: map[string]uint16{}, marked: make([]bool, len(program.Inst))}
	for i := range program.Inst {
		b.looksAround = b.looksAround || program.Inst[i].Op == syntax.InstEmptyWidth
	}
	return b
}

func (b *builder) build() error {
	if err := b.classify(); err != nil {
		return err
	}
	b.p.numClasses = len(b.samples)
	first := b.collect(nil, uint32(b.program.Start))
	b.state(stateSet{first, none})
	b.queue, b.p.acceptsAtEnd = append(b.queue, stateSet{}), append(b.p.acceptsAtEnd, true) // the accepted state
	for i := 0; i < len(b.queue); i++ {
		if err := b.transitions(i); err != nil {
			return err
		}
	}
	return nil
}

// transitions appends the transitions of a state.
func (b *builder) transitions(state int) error {
	set := b.queue[state]
	for _, c := range b.samples {
		to := accepted
		if state != int(accepted) {
			to = b.step(set, c)
		}
		b.p.transitions = append(b.p.transitions, to)
	}
	if len(b.queue) > maxStates || len(b.p.transitions) > maxCells || b.steps > maxSteps {
		return errLarge
	}
	return nil
}

// step returns the state after reading c.
func (b *builder) step(set stateSet, c rune) uint16 {
	now, matches := b.lookAround(set, c)
	if matches {
		return accepted
	}
	next := b.collect(nil, uint32(b.program.Start)) // a match may start at any position
	for _, at := range now {
		b.steps++
		if inst := &b.program.Inst[at]; inst.Op != syntax.InstEmptyWidth && inst.MatchRune(c) {
			next = b.collect(next, inst.Out)
		}
	}
	return b.state(stateSet{next, b.lookClass(c)})
}

// lookAround follows the assertions that hold between the previous character and c. It reports whether the program
// accepts at that position.
func (b *builder) lookAround(set stateSet, c rune) (now []uint32, matches bool) {
	flags := syntax.EmptyOpContext(set.before, c)
	now = slices.Clone(set.insts)
	for _, at := range now {
		b.marked[at] = true
	}
	for i := 0; i < len(now); i++ {
		b.steps++
		switch inst := &b.program.Inst[now[i]]; inst.Op {
		case syntax.InstMatch:
			matches = true
		case syntax.InstEmptyWidth:
			if syntax.EmptyOp(inst.Arg)&^flags == 0 {
				now = b.follow(now, inst.Out)
			}
		}
	}
	b.unmark(now)
	return now, matches
}

// collect adds the instructions that are reachable from an instruction without consuming a character.
func (b *builder) collect(set []uint32, from uint32) []uint32 {
	for _, at := range set {
		b.marked[at] = true
	}
	set = b.follow(set, from)
	b.unmark(set)
	return set
}

// follow does the work of collect. The marks of set must be set.
func (b *builder) follow(set []uint32, from uint32) []uint32 {
	seen := map[uint32]bool{}
	for stack := []uint32{from}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		b.steps++
		if seen[at] || b.marked[at] {
			continue
		}
		seen[at] = true
		switch inst := &b.program.Inst[at]; inst.Op {
		case syntax.InstAlt, syntax.InstAltMatch:
			stack = append(stack, inst.Out, inst.Arg)
		case syntax.InstCapture, syntax.InstNop:
			stack = append(stack, inst.Out)
		case syntax.InstFail:
		default:
			b.marked[at] = true
			set = append(set, at)
		}
	}
	return set
}

func (b *builder) unmark(set []uint32) {
	for _, at := range set {
		b.marked[at] = false
	}
}

// state returns the number of a set. It appends new sets to the queue.
func (b *builder) state(set stateSet) uint16 {
	slices.Sort(set.insts)
	key := binary.LittleEndian.AppendUint32(nil, uint32(set.before))
	for _, at := range set.insts {
		key = binary.LittleEndian.AppendUint16(key, uint16(at))
	}
	if known, ok := b.states[string(key)]; ok {
		return known
	}
	number := uint16(len(b.queue))
	b.states[string(key)] = number
	_, matches := b.lookAround(set, none)
	b.queue, b.p.acceptsAtEnd = append(b.queue, set), append(b.p.acceptsAtEnd, matches)
	return number
}

// lookClass returns a representative of the characters that assertions treat like c.
func (b *builder) lookClass(c rune) rune {
	switch {
	case !b.looksAround:
		return none // the program has no assertions
	case c == '\n':
		return '\n'
	case syntax.IsWordChar(c):
		return 'a'
	}
	return ' '
}

// classify assigns one class to all characters that the program treats alike.
func (b *builder) classify() error {
	first := b.boundaries()
	if len(first) > maxRanges {
		return errLarge
	}
	known := map[string]uint8{}
	for i, r := range first {
		class, err := b.class(known, r)
		if err != nil || b.steps > maxSteps {
			return errLarge
		}
		end := rune(lowRunes)
		if i+1 < len(first) {
			end = min(first[i+1], end)
		}
		for c := r; c < end; c++ {
			b.p.lowClasses[c] = class
		}
		if i+1 == len(first) || first[i+1] > lowRunes {
			b.p.ranges = append(b.p.ranges, max(r, lowRunes))
			b.p.classes = append(b.p.classes, class)
		}
	}
	b.p.invalidClass = b.p.classOf(utf8.RuneError)
	return nil
}

// class returns the class of a character. It depends on the instructions that match the character, and on its
// lookClass.
func (b *builder) class(known map[string]uint8, r rune) (uint8, error) {
	signature := make([]byte, 0, len(b.program.Inst)+1)
	for i := range b.program.Inst {
		b.steps++
		bit := byte('0')
		if inst := &b.program.Inst[i]; consumesRune(inst) && inst.MatchRune(r) {
			bit = '1'
		}
		signature = append(signature, bit)
	}
	signature = append(signature, byte(b.lookClass(r)))
	if class, ok := known[string(signature)]; ok {
		return class, nil
	}
	if len(b.samples) > 255 {
		return 0, errLarge
	}
	class := uint8(len(b.samples))
	known[string(signature)] = class
	b.samples = append(b.samples, r)
	return class, nil
}

// boundaries returns the characters at which the class may change, sorted. The first is 0.
func (b *builder) boundaries() []rune {
	first := []rune{0}
	add := func(low, high rune) { first = append(first, low, high+1) }
	if b.looksAround {
		for _, word := range [...][2]rune{{'\n', '\n'}, {'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}} {
			add(word[0], word[1])
		}
	}
	for i := range b.program.Inst {
		inst := &b.program.Inst[i]
		switch {
		case inst.Op == syntax.InstRuneAnyNotNL:
			add('\n', '\n')
		case !consumesRune(inst):
		case len(inst.Rune) == 1:
			add(inst.Rune[0], inst.Rune[0])
			for r := unicode.SimpleFold(inst.Rune[0]); r != inst.Rune[0]; r = unicode.SimpleFold(r) {
				add(r, r) // the instruction may ignore case
			}
		default:
			for j := 0; j+1 < len(inst.Rune); j += 2 {
				add(inst.Rune[j], inst.Rune[j+1])
			}
		}
	}
	slices.Sort(first)
	return slices.Compact(first)
}

// consumesRune reports whether an instruction consumes a character.
func consumesRune(inst *syntax.Inst) bool {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}
