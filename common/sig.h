/*
 * What happens when the process must end early. Temporary files and directories are registered here
 * and removed at exit and when SIGINT, SIGTERM or SIGHUP ends the process; train-step asks instead
 * to finish its step first. Signals that were ignored at the start stay ignored.
 */
#ifndef COMMON_SIG_H
#define COMMON_SIG_H

/* Removes `path` (a file, or a directory with what is in it) at the end, unless it is kept before.
 * Returns a ticket for sig_keep or sig_remove. The path is copied; a relative one must not be
 * invalidated by chdir. */
int sig_remove_at_end(const char *path);
void sig_keep(int ticket);   /* it has its final name, or is gone: forget it */
void sig_remove(int ticket); /* removes it now */
void sig_remove_all(void);   /* all that is registered; may be called by a signal's handler */

/*
 * "Finish this step, then stop": after sig_stop_install the first SIGINT or SIGTERM is only noted,
 * and the next ends the process as usual. sig_stop_requested returns the signal noted, or 0.
 */
void sig_stop_install(void);
int sig_stop_requested(void);
/* Ends the process by the signal, as if it had not been caught, after removing what is registered.
 */
_Noreturn void sig_end_by(int signo);

#endif
