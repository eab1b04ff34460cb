# Learning curves of a demo directory: gnuplot -e "dir = 'demo'; text = 0" plot.gp
# text = 1 draws on the terminal, 0 writes dir/learning-curves.png. Columns: step, loss, accuracies, margins.
set datafile separator "\t"
set datafile missing ""
set xlabel "step"
if (text) {
	set terminal dumb size 100, 24
	set key top right
	set title "loss"
	plot dir."/dpo.tsv" using 1:2 with lines title "DPO", \
	     dir."/orpo.tsv" using 1:2 with lines title "ORPO", \
	     dir."/sft.tsv" using 1:2 with lines title "SFT", \
	     dir."/qlora.tsv" using 1:2 with lines title "QLoRA (ORPO)"
} else {
	set terminal pngcairo size 1000, 420
	set output dir."/learning-curves.png"
	set grid
	set multiplot layout 1, 2
	set title "loss"
	set yrange [0:*]
	plot dir."/dpo.tsv" using 1:2 with lines lw 2 title "DPO", \
	     dir."/orpo.tsv" using 1:2 with lines lw 2 title "ORPO", \
	     dir."/sft.tsv" using 1:2 with lines lw 2 title "SFT", \
	     dir."/qlora.tsv" using 1:2 with lines lw 2 title "QLoRA (ORPO)"
	set title "rewards/accuracies on the training rows"
	set yrange [0:1.05]
	set key bottom right
	plot dir."/dpo.tsv" using 1:3 with lines lw 2 title "DPO", \
	     dir."/orpo.tsv" using 1:3 with lines lw 2 title "ORPO", \
	     dir."/qlora.tsv" using 1:3 with lines lw 2 title "QLoRA (ORPO)"
	unset multiplot
}
