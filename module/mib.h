/* SPDX-License-Identifier: GPL-2.0 */
/*
 * mib.h - every counter, by name: one list makes the enum, the text of
 * /proc/net/tandem/snmp, and (through the description) the documentation.
 *
 * Counters are per netns and per CPU and only ever grow, but for CurrEstab, which
 * is a gauge.  Units are segments unless the description says otherwise.
 */
#ifndef _TANDEM_MIB_H
#define _TANDEM_MIB_H

#include <linux/types.h>
#include <net/snmp.h>

/* X(enum suffix, name in /proc, description) */
#define TANDEM_MIB_LIST(X)						\
	/* connections, in the manner of RFC 4022 */			\
	X(ACTIVEOPENS, "ActiveOpens", "connections opened by connect()")	\
	X(PASSIVEOPENS, "PassiveOpens", "connections opened by a peer")	\
	X(ATTEMPTFAILS, "AttemptFails", "opens that failed")		\
	X(ESTABRESETS, "EstabResets", "resets out of ESTABLISHED or CLOSE-WAIT") \
	X(CURRESTAB, "CurrEstab", "connections now in ESTABLISHED or CLOSE-WAIT") \
	X(INSEGS, "InSegs", "segments received, bad ones included")	\
	X(OUTSEGS, "OutSegs", "segments sent, retransmissions not included") \
	X(RETRANSSEGS, "RetransSegs", "segments sent again")		\
	X(OUTRSTS, "OutRsts", "resets sent")				\
	/* what an ACK rides on */					\
	X(OUTDATASEGS, "OutDataSegs", "segments sent that carry data")	\
	X(PUREACKSOUT, "PureAcksOut", "segments sent only to acknowledge") \
	X(PIGGYACKSOUT, "PiggyAcksOut", "data segments that carried a due ACK") \
	X(WINUPDATESOUT, "WinUpdatesOut", "segments sent only to open the window") \
	X(MERGEDACKSOUT, "MergedAcksOut", "pure ACKs that carried a due window update too") \
	X(DELAYEDACKS, "DelayedAcks", "ACKs sent when the delay timer fired") \
	X(QUICKACKS, "QuickAcks", "ACKs sent at once: out of order, gap, second full segment") \
	X(DUPACKSOUT, "DupAcksOut", "duplicate ACKs sent for out-of-order data") \
	X(THIRDACKRIDES, "ThirdAckRides", "handshake ACKs that rode on data or a FIN") \
	X(FINRIDES, "FinRides", "FINs that rode on the last data")	\
	X(FINACKRIDES, "FinAckRides", "ACKs of a FIN that rode on data or our own FIN") \
	X(FINHOLDS, "FinHolds", "answers whose end was held for the FIN, events") \
	X(FINHOLDSINVAIN, "FinHoldsInVain", "such holds that close() did not end, events") \
	X(SYNACKRIDES, "SynAckRides", "SYN-ACKs of fast open that carried the answer") \
	X(SYNACKHOLDSINVAIN, "SynAckHoldsInVain", "such waits without an answer") \
	X(PUREACKSIN, "PureAcksIn", "segments received that only acknowledge") \
	X(DUPACKSIN, "DupAcksIn", "duplicate ACKs received")		\
	/* bad input */							\
	X(INSHORT, "InShort", "dropped: shorter than a header")		\
	X(INCSUMERRORS, "InCsumErrors", "dropped: checksum wrong")	\
	X(INBADDOFF, "InBadDoff", "dropped: data offset below 5 or past the end") \
	X(INBADOPT, "InBadOpt", "dropped: malformed option")		\
	X(INBADFLAGS, "InBadFlags", "dropped: flags that make no sense in the state") \
	X(INNOSOCK, "InNoSock", "no socket for it; a reset went back unless it was one") \
	X(INPOLICY, "InPolicy", "dropped: IPsec policy, socket filter or minimum TTL") \
	X(INOUTWIN, "InOutOfWindow", "outside the receive window (RFC 9293 3.10.7.4)") \
	X(INACKUNSENT, "InAckUnsent", "acknowledge what was never sent")	\
	X(INACKOLD, "InAckOld", "acknowledge what is far too old (RFC 5961 5.2)") \
	X(INNOACK, "InNoAck", "dropped: no ACK flag where one must be")	\
	X(INPAWS, "InPaws", "dropped: timestamp went back (RFC 7323 5.3)") \
	X(INSYNCHALLENGE, "InSynChallenge", "SYN in a synchronized state (RFC 5961 4.2)") \
	X(INRSTCHALLENGE, "InRstChallenge", "reset in the window, not at rcv_nxt (RFC 5961 3.2)") \
	X(INRSTS, "InRsts", "resets accepted")				\
	X(CHALLENGEACKS, "ChallengeAcks", "challenge ACKs sent")	\
	X(UDPREBINDS, "UdpRebinds", "connections whose peer came from another UDP port") \
	X(CHALLENGELIMITED, "ChallengeLimited", "challenge ACKs not sent: rate limit") \
	X(INAFTERCLOSE, "InAfterClose", "data for a program that has closed; answered by a reset") \
	X(INURGENT, "InUrgent", "segments with the URG flag") \
	/* explicit congestion notification, RFC 3168 */		\
	X(ECNOPENS, "EcnOpens", "connections that use ECN")		\
	X(ECNCEIN, "EcnCeIn", "data segments received that a router had marked") \
	X(ECNECEIN, "EcnEceIn", "segments received that echo a mark")	\
	X(ECNCWROUT, "EcnCwrOut", "data segments sent that tell of a reduction") \
	/* listeners */							\
	X(INSYNS, "InSyns", "SYNs taken by a listener")			\
	X(SYNDROPREQ, "SynDropReqFull", "SYNs dropped: request queue full") \
	X(SYNDROPACCEPT, "SynDropAcceptFull", "SYNs dropped: accept queue full") \
	X(SYNDROPMEM, "SynDropMem", "SYNs dropped: no memory or no route") \
	X(SYNACKRETRANS, "SynAckRetrans", "SYN-ACKs sent again")	\
	X(ACCEPTOVERFLOW, "AcceptOverflow", "last handshake ACKs put off: accept queue full") \
	X(REQTIMEOUTS, "ReqTimeouts", "half-open connections given up")	\
	X(COOKIESSENT, "CookiesSent", "SYN cookies sent")		\
	X(COOKIESRECV, "CookiesRecv", "SYN cookies that came back good")	\
	X(COOKIESFAILED, "CookiesFailed", "ACKs to a listener with no good cookie") \
	/* fast open and the path cache */				\
	X(FOCOOKIEREQD, "FastOpenCookieReqd", "SYNs that asked for a fast open cookie") \
	X(FOPASSIVE, "FastOpenPassive", "connections made at a SYN with data or cookie") \
	X(FOPASSIVEFAIL, "FastOpenPassiveFail", "SYNs with a wrong cookie, or no memory") \
	X(FOPASSIVEALTKEY, "FastOpenPassiveAltKey", "cookies that the backup key had made") \
	X(FOLISTENOVERFLOW, "FastOpenListenOverflow", "SYNs taken without data: queue limit") \
	X(FOACTIVE, "FastOpenActive", "SYNs whose data was acknowledged")	\
	X(FOACTIVEFAIL, "FastOpenActiveFail", "SYNs whose data was not acknowledged") \
	X(FOBLACKHOLE, "FastOpenBlackhole", "times fast open was stopped for a while, events") \
	X(PATHSLEARNT, "PathsLearnt", "connections that left what they measured, events") \
	X(PATHSREORDER, "PathsReorder", "connections to a path known to reorder, events") \
	X(PATHSUSED, "PathsUsed", "SYNs and SYN-ACKs whose timeout a path's RTT gave") \
	X(RESUMES, "Resumes", "connections that jumped to half of the rate remembered") \
	X(RESUMESVALID, "ResumesValidated", "of these, those whose jump was acknowledged whole") \
	X(RESUMERETREATS, "ResumeRetreats", "of these, those that met congestion and went back") \
	X(PATHSEVICTED, "PathsEvicted", "paths forgotten because others needed the place, paths") \
	/* data */							\
	X(INDATASEGS, "InDataSegs", "segments received that carry data")	\
	X(INBYTES, "InBytes", "bytes put in order for programs, bytes")	\
	X(OUTBYTES, "OutBytes", "bytes sent for the first time, bytes")	\
	X(RETRANSBYTES, "RetransBytes", "bytes sent again, bytes")	\
	X(OFOQUEUED, "OfoQueued", "segments kept out of order")		\
	X(OFOMERGED, "OfoMerged", "segments out of order that brought nothing new") \
	X(OFOPRUNED, "OfoPruned", "segments out of order thrown away: memory") \
	X(INDUPDATA, "InDupData", "segments received whole again")	\
	X(RCVPRUNED, "RcvPruned", "segments dropped: receive buffer full")	\
	X(BACKLOGDROP, "BacklogDrop", "segments dropped: socket backlog full") \
	X(COALESCED, "RcvCoalesced", "segments merged into the one before") \
	X(BACKLOGJOINED, "BacklogJoined", "segments merged while a program had the socket") \
	/* windows */							\
	X(ZEROWINOUT, "ZeroWindowOut", "times we advertised a zero window") \
	X(ZEROWININ, "ZeroWindowIn", "times the peer closed its window")	\
	X(WINPROBES, "WindowProbes", "zero-window probes sent")		\
	X(WINPROBESIN, "WindowProbesIn", "zero-window probes answered")	\
	X(SNDWNDSTALL, "SndWndStall", "times sending stopped at the peer's window") \
	X(CWNDSTALL, "CwndStall", "times sending stopped at cwnd")	\
	/* loss */							\
	X(FASTRETRANS, "FastRetrans", "segments sent again in fast recovery") \
	X(RTOS, "RtoExpired", "retransmission timeouts")		\
	X(RTORETRANS, "RtoRetrans", "segments sent again after a timeout")	\
	X(RACKRETRANS, "RackRetrans", "segments sent again because RACK found them lost by time") \
	X(TLPRETRANS, "TlpRetrans", "segments sent again as tail loss probes") \
	X(LOSSPROBES, "LossProbes", "tail loss probes sent, new data or old (RFC 8985 7)") \
	X(LOSSPROBERECOVERY, "LossProbeRecovery", "times a tail loss probe alone repaired a loss") \
	X(LOSTRETRANSMIT, "LostRetransmit", "segments lost again after they were sent again") \
	X(REOTIMEOUTS, "ReoTimeouts", "times a reordering window ended and something was lost") \
	X(CWRS, "CwrEntered", "times the window was reduced for an ECN-Echo") \
	X(SACKREORDER, "SackReorder", "segments that came after what was sent after them") \
	X(TSREORDER, "TSReorder", "times an echo told that a hole was filled by the original") \
	X(FULLUNDO, "FullUndo", "times fast recovery ended and nothing had been lost") \
	X(PARTIALUNDO, "PartialUndo", "times fast recovery was undone before its end") \
	X(DSACKUNDO, "DsackUndo", "reductions undone because all copies came twice") \
	X(LOSSUNDO, "LossUndo", "timeouts undone because nothing had been lost") \
	X(SPURIOUSRTOS, "SpuriousRtos", "of these, found by F-RTO (RFC 5682)") \
	X(TIMEOUTREHASH, "TimeoutRehash", "timeouts that chose another flow hash") \
	X(DUPDATAREHASH, "DupDataRehash", "data that came a third time, and did") \
	X(SYNRETRANS, "SynRetrans", "SYNs sent again")			\
	X(RECOVERIES, "Recoveries", "times fast recovery began")	\
	X(SACKBLOCKSIN, "SackBlocksIn", "SACK blocks received, blocks")	\
	X(SACKBLOCKSOUT, "SackBlocksOut", "SACK blocks sent, blocks")	\
	X(SACKDISCARD, "SackDiscard", "SACK blocks ignored as nonsense, blocks") \
	X(SEGSWALKED, "SegsWalked", "segments looked at for what is SACKed or lost, segments") \
	X(SACKRENEG, "SackReneg", "times the peer forgot SACKed data")	\
	X(DSACKIN, "DsackIn", "D-SACKs received (RFC 2883)")		\
	X(DSACKOUT, "DsackOut", "D-SACKs sent (RFC 2883)")		\
	X(RTTSAMPLES, "RttSamples", "RTT samples taken, samples")	\
	X(RTTREBASED, "RttRebased", "times the RTO was set anew after a spurious one, events") \
	X(PMTUSHRINK, "PmtuShrink", "times an ICMP made the segments smaller, events") \
	X(MTUPROBES, "MtuProbes", "path MTU probes sent (RFC 4821)")	\
	X(MTUPROBESOK, "MtuProbesOk", "path MTU probes that arrived")	\
	X(MTUPROBESLOST, "MtuProbesLost", "path MTU probes that were too large") \
	X(MTUBLACKHOLES, "MtuBlackHoles", "smaller segments tried after timeouts, events") \
	/* ends */							\
	X(GIVEUPS, "GiveUps", "connections ended by retries2 or the user timeout") \
	X(SYNPROBES, "SynProbes", "SYNs sent once more before their timeout, segments") \
	X(SYNGIVEUPS, "SynGiveUps", "opens ended by syn_retries")	\
	X(ABORTONDATA, "AbortOnData", "resets on close with unread data")	\
	X(ABORTONCLOSE, "AbortOnLinger", "resets by SO_LINGER 0 or disconnect") \
	X(ABORTONTIMEOUT, "AbortOnTimeout", "orphans ended by a timer")	\
	X(ABORTONMEMORY, "AbortOnMemory", "connections ended: too many orphans or no memory") \
	X(KEEPALIVES, "KeepAlives", "keepalive probes sent")		\
	X(KEEPALIVEGIVEUPS, "KeepAliveGiveUps", "connections ended by keepalive") \
	X(TWSTARTED, "TimeWaitStarted", "connections that went to TIME-WAIT") \
	X(TWRECYCLED, "TimeWaitRecycled", "TIME-WAIT ended early by a new SYN or connect()") \
	X(TWOVERFLOW, "TimeWaitOverflow", "TIME-WAIT skipped: max_tw_buckets") \
	X(TWKILLED, "TimeWaitKilled", "TIME-WAIT ended by a reset")	\
	/* memory and output */						\
	X(MEMPRESSURE, "MemoryPressures", "times net.tandem.mem pressure began, events") \
	X(OUTNOMEM, "OutNoMem", "segments not sent: no memory")		\
	X(STATENOMEM, "StateNoMem", "times a connection did without: rare.h, no memory") \
	X(OUTSUPER, "OutSuper", "times several segments left in one piece, events") \
	X(GSOCUT, "GsoCut", "segments cut from such pieces by Tandem's own GSO")	\
	X(GROJOINED, "GroJoined", "segments joined to the one before by Tandem's own GRO")	\
	X(OUTTHROTTLED, "OutThrottled", "times sending stopped: enough waits in the host, events") \
	X(WQUEUETOOBIG, "WQueueTooBig", "cuts in sent pieces not made, for want of memory")	\
	X(OUTLOCALDROP, "OutLocalDrop", "segments refused by the local qdisc or route") \
	X(ICMPIN, "IcmpIn", "ICMP errors that matched a socket, messages")	\
	X(ICMPOUTWIN, "IcmpOutOfWindow", "ICMP errors that quote a number not in flight, messages")

enum tandem_mib_item {
	TANDEM_MIB_NUM = 0,
#define X(e, n, d) TANDEM_MIB_##e,
	TANDEM_MIB_LIST(X)
#undef X
	__TANDEM_MIB_MAX
};

struct tandem_mib {
	unsigned long	mibs[__TANDEM_MIB_MAX];
};

#define TANDEM_INC(net, e)	\
	SNMP_INC_STATS(tandem_pernet(net)->mib, TANDEM_MIB_##e)
#define TANDEM_DEC(net, e)	\
	SNMP_DEC_STATS(tandem_pernet(net)->mib, TANDEM_MIB_##e)
#define TANDEM_ADD(net, e, n)	\
	SNMP_ADD_STATS(tandem_pernet(net)->mib, TANDEM_MIB_##e, n)

struct net;

int tandem_mib_net_init(struct net *net);	/* allocates pernet->mib */
void tandem_mib_net_exit(struct net *net);
unsigned long tandem_mib_fold(struct net *net, enum tandem_mib_item item);
const char *tandem_mib_name(enum tandem_mib_item item);

#endif /* _TANDEM_MIB_H */
