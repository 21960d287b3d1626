with source as (

    select * from {{ source('lake', 'instruments') }}

),

renamed as (

    select
        source,
        symbol,
        name,
        asset_class,
        currency,
        expense_ratio_bps,
        substitute_group,
        reference_weight,
        tradable,
        known_at::timestamptz as known_at
    from source

),

accepted as (

    {{ accepted_versions('renamed', 'instruments', ['source', 'symbol']) }}

)

select * from accepted
order by symbol
