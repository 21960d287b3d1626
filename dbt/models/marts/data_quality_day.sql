{{ config(materialized='view') }}

with bars as (

    select
        panel.session_date,
        count(*) as accepted_count,
        count(panel.volume) as with_volume_count,
        count(*) filter (where panel.known_at > quality.known_at_cut) as late_count
    from {{ ref('int_panel') }} as panel
    inner join {{ ref('int_session_quality') }} as quality using (session_date)
    group by panel.session_date

),

final as (

    select
        quality.session_date,
        coalesce(bars.accepted_count, 0) as accepted_count,
        quality.rejected_count,
        coalesce(bars.late_count, 0) as late_count,
        quality.expected_count - coalesce(bars.accepted_count, 0) as missing_count,
        coalesce(bars.accepted_count - bars.with_volume_count, 0) as without_volume_count,
        quality.expected_count,
        quality.gone_count,
        quality.member_count
    from {{ ref('int_session_quality') }} as quality
    left join bars using (session_date)

)

select * from final
