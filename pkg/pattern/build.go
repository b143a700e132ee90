package pattern

import (
	"encoding/binary"
	"regexp/syntax"
	"slices"
	"unicode"
	"unicode/utf8"
)

// builder makes the automaton of a program, by the subset construction.
//
// A state is the set of instructions at which the program may be, and what the character before was, as far as the
// program can tell. The set holds instructions that read a character, that look around, and that accept. Those that
// only lead on are followed when the set is made; those that look around, when the next character is known.
type builder struct {
	program *syntax.Prog
	looks   bool // the program has instructions that look around
	p       *Pattern
	samples []rune // by class: one of its characters
	states  map[string]uint16
	queue   []stateSet // by state; reading it builds the transitions
	mark    []bool     // by instruction: in the set that is being made
	steps   int
}

// stateSet is the instructions of a state, sorted, and a character that stands for the one before.
type stateSet struct {
	at     []uint32
	before rune
}

// none stands for the character before the first and after the last one.
const none rune = -1

func newBuilder(program *syntax.Prog) *builder {
	b := &builder{program: program, p: &Pattern{}, states: map[string]uint16{}, mark: make([]bool, len(program.Inst))}
	for i := range program.Inst {
		b.looks = b.looks || program.Inst[i].Op == syntax.InstEmptyWidth
	}
	return b
}

func (b *builder) build() error {
	if err := b.classify(); err != nil {
		return err
	}
	b.p.width = len(b.samples)
	first := b.collect(nil, uint32(b.program.Start))
	b.state(stateSet{first, none})
	b.queue, b.p.atEnd = append(b.queue, stateSet{}), append(b.p.atEnd, true) // accepted
	for i := 0; i < len(b.queue); i++ {
		if err := b.transitions(i); err != nil {
			return err
		}
	}
	return nil
}

// transitions appends the row of a state.
func (b *builder) transitions(state int) error {
	set := b.queue[state]
	for _, c := range b.samples {
		to := accepted
		if state != int(accepted) {
			to = b.step(set, c)
		}
		b.p.next = append(b.p.next, to)
	}
	if len(b.queue) > maxStates || len(b.p.next) > maxCells || b.steps > maxSteps {
		return ErrLarge
	}
	return nil
}

// step returns the state that follows when c is read.
func (b *builder) step(set stateSet, c rune) uint16 {
	now, matches := b.lookAround(set, c)
	if matches {
		return accepted
	}
	next := b.collect(nil, uint32(b.program.Start)) // a match may begin anywhere
	for _, at := range now {
		b.steps++
		if inst := &b.program.Inst[at]; inst.Op != syntax.InstEmptyWidth && inst.MatchRune(c) {
			next = b.collect(next, inst.Out)
		}
	}
	return b.state(stateSet{next, b.kind(c)})
}

// lookAround follows the instructions that look around, between the character before and c, and reports whether the
// program accepts there.
func (b *builder) lookAround(set stateSet, c rune) (now []uint32, matches bool) {
	flags := syntax.EmptyOpContext(set.before, c)
	now = slices.Clone(set.at)
	for _, at := range now {
		b.mark[at] = true
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

// collect adds to a set what leads on from an instruction.
func (b *builder) collect(set []uint32, from uint32) []uint32 {
	for _, at := range set {
		b.mark[at] = true
	}
	set = b.follow(set, from)
	b.unmark(set)
	return set
}

// follow is collect with the marks set.
func (b *builder) follow(set []uint32, from uint32) []uint32 {
	seen := map[uint32]bool{}
	for stack := []uint32{from}; len(stack) > 0; {
		at := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		b.steps++
		if seen[at] || b.mark[at] {
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
			b.mark[at] = true
			set = append(set, at)
		}
	}
	return set
}

func (b *builder) unmark(set []uint32) {
	for _, at := range set {
		b.mark[at] = false
	}
}

// state returns the number of a set, and queues it if it is new.
func (b *builder) state(set stateSet) uint16 {
	slices.Sort(set.at)
	key := binary.LittleEndian.AppendUint32(nil, uint32(set.before))
	for _, at := range set.at {
		key = binary.LittleEndian.AppendUint16(key, uint16(at))
	}
	if known, ok := b.states[string(key)]; ok {
		return known
	}
	number := uint16(len(b.queue))
	b.states[string(key)] = number
	_, matches := b.lookAround(set, none)
	b.queue, b.p.atEnd = append(b.queue, set), append(b.p.atEnd, matches)
	return number
}

// kind returns a character that looks like c to the instruction after it.
func (b *builder) kind(c rune) rune {
	switch {
	case !b.looks:
		return none // nothing looks
	case c == '\n':
		return '\n'
	case syntax.IsWordChar(c):
		return 'a'
	}
	return ' '
}

// classify gives characters that the program cannot tell apart one class.
func (b *builder) classify() error {
	first := b.boundaries()
	if len(first) > maxRanges {
		return ErrLarge
	}
	known := map[string]uint8{}
	for i, r := range first {
		class, err := b.class(known, r)
		if err != nil || b.steps > maxSteps {
			return ErrLarge
		}
		end := rune(lowRunes)
		if i+1 < len(first) {
			end = min(first[i+1], end)
		}
		for c := r; c < end; c++ {
			b.p.low[c] = class
		}
		if i+1 == len(first) || first[i+1] > lowRunes {
			b.p.ranges = append(b.p.ranges, max(r, lowRunes))
			b.p.classes = append(b.p.classes, class)
		}
	}
	b.p.invalid = b.p.classOf(utf8.RuneError)
	return nil
}

// class returns the class of a character by the instructions that read it, and by how it looks to its neighbours.
func (b *builder) class(known map[string]uint8, r rune) (uint8, error) {
	signature := make([]byte, 0, len(b.program.Inst)+1)
	for i := range b.program.Inst {
		b.steps++
		bit := byte('0')
		if inst := &b.program.Inst[i]; reads(inst) && inst.MatchRune(r) {
			bit = '1'
		}
		signature = append(signature, bit)
	}
	signature = append(signature, byte(b.kind(r)))
	if class, ok := known[string(signature)]; ok {
		return class, nil
	}
	if len(b.samples) > 255 {
		return 0, ErrLarge
	}
	class := uint8(len(b.samples))
	known[string(signature)] = class
	b.samples = append(b.samples, r)
	return class, nil
}

// boundaries returns the characters at which something changes for the program, sorted. The first is 0.
func (b *builder) boundaries() []rune {
	first := []rune{0}
	add := func(low, high rune) { first = append(first, low, high+1) }
	if b.looks {
		for _, word := range [...][2]rune{{'\n', '\n'}, {'0', '9'}, {'A', 'Z'}, {'_', '_'}, {'a', 'z'}} {
			add(word[0], word[1])
		}
	}
	for i := range b.program.Inst {
		inst := &b.program.Inst[i]
		switch {
		case inst.Op == syntax.InstRuneAnyNotNL:
			add('\n', '\n')
		case !reads(inst):
		case len(inst.Rune) == 1:
			add(inst.Rune[0], inst.Rune[0])
			for r := unicode.SimpleFold(inst.Rune[0]); r != inst.Rune[0]; r = unicode.SimpleFold(r) {
				add(r, r) // as the instruction may ignore case
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

// reads reports whether an instruction reads a character.
func reads(inst *syntax.Inst) bool {
	switch inst.Op {
	case syntax.InstRune, syntax.InstRune1, syntax.InstRuneAny, syntax.InstRuneAnyNotNL:
		return true
	}
	return false
}
