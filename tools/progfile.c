// SPDX-License-Identifier: GPL-2.0
/*
 * progfile.c - looks at a program before it is started, to tell whether
 * LD_PRELOAD will reach its socket() calls.  When it would not, the dynamic
 * linker or the kernel says nothing and the program quietly uses TCP; so this is
 * where a user learns of it.  Scripts are followed to their interpreters.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/elf.h>
#include "tool.h"

#if __SIZEOF_POINTER__ == 8
#define elf_hdr		elf64_hdr
#define elf_phdr	elf64_phdr
#define elf_shdr	elf64_shdr
#else
#define elf_hdr		elf32_hdr
#define elf_phdr	elf32_phdr
#define elf_shdr	elf32_shdr
#endif

#define MAX_INTERPRETERS	4	/* as the kernel's limit for #! */

int progfile_find(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH"), *end;
	int found = EXIT_NOTFOUND;
	struct stat st;

	if (strchr(name, '/')) {
		snprintf(path, size, "%s", name);
		if (stat(path, &st))
			return errno == ENOENT || errno == ENOTDIR ?
				EXIT_NOTFOUND : EXIT_CANNOT;
		return S_ISREG(st.st_mode) && !access(path, X_OK) ?
			0 : EXIT_CANNOT;
	}
	if (!dirs)
		dirs = "/usr/local/bin:/usr/bin:/bin";
	for (; *name; dirs = end + 1) {
		end = strchrnul(dirs, ':');
		snprintf(path, size, "%.*s/%s", end > dirs ? (int)(end - dirs) : 1,
			 end > dirs ? dirs : ".", name);
		if (!stat(path, &st) && S_ISREG(st.st_mode)) {
			if (!access(path, X_OK))
				return 0;
			found = EXIT_CANNOT;
		}
		if (!*end)
			break;
	}
	return found;
}

static int no(struct progfile *pf, const char *why, const char *fix)
{
	snprintf(pf->why, sizeof(pf->why), "%s", why);
	snprintf(pf->fix, sizeof(pf->fix), "%s", fix);
	return -1;
}

/* Programs that gain rights on exec: the dynamic linker drops LD_PRELOAD then. */
static int check_privilege(const char *path, const struct stat *st,
			   struct progfile *pf)
{
	bool setid = ((st->st_mode & S_ISUID) && st->st_uid != getuid()) ||
		     ((st->st_mode & 02010) == 02010 &&
		      st->st_gid != getgid());

	if (setid)
		return no(pf, "it is set-user-ID or set-group-ID: the linker ignores LD_PRELOAD",
			  "sudo tandem run PROGRAM, not tandem run sudo PROGRAM; or be its owner");
	if (getuid() && getxattr(path, "security.capability", NULL, 0) > 0)
		return no(pf, "it has file capabilities: the linker ignores LD_PRELOAD",
			  "run it as root, or use a copy without them (cp drops them)");
	return 0;
}

/* Does a note segment carry the Go linker's build ID? */
static bool is_go_note(const char *p, size_t n)
{
	while (n >= sizeof(struct elf32_note) + 4) {
		const struct elf32_note *nh = (const void *)p;
		size_t len = sizeof(*nh) + ((nh->n_namesz + 3UL) & ~3UL) +
			     ((nh->n_descsz + 3UL) & ~3UL);

		if (nh->n_namesz == 4 && !memcmp(p + sizeof(*nh), "Go\0", 4))
			return true;
		if (len > n)
			break;
		p += len;
		n -= len;
	}
	return false;
}

static bool has_go_section(const char *map, size_t size)
{
	const struct elf_hdr *eh = (const void *)map;
	const struct elf_shdr *sh = (const void *)(map + eh->e_shoff);
	const struct elf_shdr *str;
	int i;

	if (!eh->e_shoff || eh->e_shentsize != sizeof(*sh) ||
	    eh->e_shoff > size || eh->e_shstrndx >= eh->e_shnum ||
	    eh->e_shnum > (size - eh->e_shoff) / sizeof(*sh))
		return false;
	str = &sh[eh->e_shstrndx];
	if (str->sh_offset > size || str->sh_size > size - str->sh_offset)
		return false;
	for (i = 0; i < eh->e_shnum; i++)
		if (sh[i].sh_name + sizeof(".go.buildinfo") <= str->sh_size &&
		    !strcmp(map + str->sh_offset + sh[i].sh_name, ".go.buildinfo"))
			return true;
	return false;
}

/* This program and the library are of one build. */
static bool same_machine(const struct elf_hdr *eh)
{
	struct elf_hdr self;
	int fd = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	bool same;

	if (fd < 0)
		return true;
	same = read(fd, &self, sizeof(self)) != sizeof(self) ||
	       (eh->e_ident[EI_CLASS] == self.e_ident[EI_CLASS] &&
		eh->e_machine == self.e_machine);
	close(fd);
	return same;
}

static int check_elf(const char *map, size_t size, struct progfile *pf)
{
	const struct elf_hdr *eh = (const void *)map;
	const struct elf_phdr *ph;
	const char *interp = NULL;
	bool go = false;
	int i;

	if (size < sizeof(*eh) || !same_machine(eh))
		return no(pf, "it is for another architecture than the library to be preloaded",
			  "build the tools for it, e.g. make -C tools CC='gcc -m32'");
	ph = (const void *)(map + eh->e_phoff);
	if (eh->e_phentsize != sizeof(*ph) || eh->e_phoff > size ||
	    eh->e_phnum > (size - eh->e_phoff) / sizeof(*ph))
		return no(pf, "its ELF header is damaged", "install it again");
	for (i = 0; i < eh->e_phnum; i++) {
		if (ph[i].p_offset > size || ph[i].p_filesz > size - ph[i].p_offset)
			continue;
		if (ph[i].p_type == PT_INTERP && ph[i].p_filesz &&
		    !map[ph[i].p_offset + ph[i].p_filesz - 1])
			interp = map + ph[i].p_offset;
		if (ph[i].p_type == PT_NOTE &&
		    is_go_note(map + ph[i].p_offset, ph[i].p_filesz))
			go = true;
	}
	if (go || has_go_section(map, size))
		return no(pf, "it is a Go program: those make their system calls themselves",
			  "use a C, Python, ... one, or open socket(AF_INET, SOCK_STREAM, 254)\n"
			  "\tin its source and hand it to net.FileConn()");
	if (!interp)
		return no(pf, "it is statically linked: no library can be put under it",
			  "use a dynamically linked build (the distribution's mostly is), or\n"
			  "\tmake it open socket(AF_INET, SOCK_STREAM, 254)");
	if (strstr(interp, "ld-musl"))
		return no(pf, "it is linked with musl, the preloaded library with glibc",
			  "build the tools with musl's compiler: make -C tools CC=musl-gcc");
	return 0;
}

/* Follow "#!interpreter [arg]": 1 when @path now names the interpreter. */
static int script_interpreter(const char *map, size_t size, char *path, size_t n)
{
	const char *end = memchr(map, '\n', size), *p = map + 2, *q;

	if (!end)
		end = map + size;
	while (p < end && (*p == ' ' || *p == '\t'))
		p++;
	for (q = p; q < end && *q != ' ' && *q != '\t' && *q != '\r'; q++)
		;
	if (q == p)
		return 0;
	snprintf(path, n, "%.*s", (int)(q - p), p);
	return 1;
}

int progfile_check(const char *path, struct progfile *pf)
{
	struct stat st;
	int depth, fd, ret;
	char *map;

	pf->why[0] = 0;
	pf->fix[0] = 0;
	snprintf(pf->path, sizeof(pf->path), "%s", path);
	for (depth = 0; depth <= MAX_INTERPRETERS; depth++) {
		fd = open(pf->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &st) || st.st_size < 4) {
			/* Unreadable, or exec will say what is wrong. */
			if (fd >= 0)
				close(fd);
			return 0;
		}
		map = mmap(NULL, st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
		close(fd);
		if (map == MAP_FAILED)
			return 0;
		if (map[0] == '#' && map[1] == '!' &&
		    script_interpreter(map, st.st_size, pf->path,
				       sizeof(pf->path))) {
			munmap(map, st.st_size);
			continue;
		}
		ret = check_privilege(pf->path, &st, pf);
		if (!ret && st.st_size >= (off_t)sizeof(struct elf_hdr) &&
		    !memcmp(map, ELFMAG, SELFMAG))
			ret = check_elf(map, st.st_size, pf);
		munmap(map, st.st_size);
		return ret;
	}
	return 0;
}
